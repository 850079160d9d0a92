// The rules of the report's scripts. Unknown names and wrong types are tsc's to find.
import js from "@eslint/js";

/** Every function that has a name says what it does. */
const explained = {
  create: (context) => ({
    FunctionDeclaration(node) {
      const start = node.parent.type === "Program" ? node : node.parent;
      const comment = context.sourceCode.getCommentsBefore(start).at(-1);
      if (!comment?.value.startsWith("*")) context.report({ node, message: "say in a JSDoc comment what this does" });
    },
  }),
};

/** Lines can be read side by side. */
const narrow = {
  create: (context) => ({
    Program(node) {
      for (const [i, line] of context.sourceCode.lines.entries()) {
        const loc = { line: i + 1, column: 120 };
        if (line.length > 120) context.report({ node, loc, message: "over 120 characters" });
      }
    },
  }),
};

export default [
  js.configs.recommended,
  {
    languageOptions: { ecmaVersion: 2022, sourceType: "module" },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    plugins: { house: { rules: { explained, narrow } } },
    rules: {
      "house/explained": "error",
      "house/narrow": "error",
      "complexity": ["error", 10],
      "eqeqeq": "error",
      "max-lines": ["error", 250],
      "max-lines-per-function": ["error", 50],
      "no-undef": "off",
      "no-var": "error",
      "prefer-const": "error",
      // what is private to a library begins with an underscore: it may change with any version
      "no-underscore-dangle": "error",
      "no-restricted-syntax": [
        "error",
        // the scripts are joined into one (harness/report/script.py): a name must be the same in every file
        { selector: "ExportDefaultDeclaration", message: "export by name: the scripts are joined into one" },
        { selector: "ExportNamedDeclaration[declaration=null]", message: "write export before the declaration" },
        { selector: "ImportNamespaceSpecifier", message: "import by name: the scripts are joined into one" },
      ],
    },
  },
];
