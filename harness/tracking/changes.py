"""What the repository of a study's spec has that is not committed, as it is recorded with results.

Recorded patches travel with the store, so that they leave out what may hold secrets and what is
large: names of files that were left out stand at the top.
"""

from __future__ import annotations

import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

LARGEST = 200_000
"""Characters of one file's patch; a larger one is data, not code."""
LIMIT = 1_000_000
"""Characters of the whole patch."""
SECRET = (
    ".env*",
    "*.env",
    "*.pem",
    "*.key",
    "*.p12",
    "*.pfx",
    "id_*",
    ".netrc",
    ".pypirc",
    ".npmrc",
    "*secret*",
    "*password*",
    "*credential*",
    "*token*",
)
"""Names of files that may hold secrets, in lower case; tokenizers' files are left out with them."""


NO_PAGES = (":(top)", ":(top,exclude,glob)**/reports/**")
"""Git's words for all files but reports: results, which say what they were made with themselves."""


def own_folder() -> Path:
    """Return the folder of the spec, or of the script or notebook that runs: it comes first among
    the places that modules are found in."""
    return Path(sys.path[0] or ".").resolve()


def recorded_changes(folder: Path) -> str:
    """Return what a folder's repository adds to its commit, as a patch.

    Args:
        folder: any folder of the repository.

    Returns:
        The patch, after lines with the commit and each file that is left out; empty without
        changes, git or a repository.
    """
    names = git_output(folder, "diff", "HEAD", "--name-only", "-z", "--", *NO_PAGES).split("\0")
    left_out, patches, room = [], [], LIMIT
    for name in filter(None, names):
        patch, reason = _patch_of(folder, name, room)
        if reason:
            left_out.append(f"# left out: {name} ({reason})\n")
        else:
            patches.append(patch)
            room -= len(patch)
    if not patches and not left_out:
        return ""
    commit = f"# on commit {git_output(folder, 'rev-parse', 'HEAD')}\n"
    return "".join([commit, *left_out, *patches])


def _patch_of(folder: Path, name: str, room: int) -> tuple[str, str]:
    """Return a file's patch, or why it is left out.

    Args:
        folder: any folder of the repository.
        name: the file's path from the repository's top.
        room: characters that are left.
    """
    if any(fnmatch(part.lower(), pattern) for part in Path(name).parts for pattern in SECRET):
        return "", "its name may be that of a secret"
    patch = git_output(folder, "diff", "HEAD", "--", f":(top,literal){name}")
    if len(patch) > min(LARGEST, room):
        return "", f"{len(patch):,} characters"
    return f"{patch}\n", ""


def in_checkout(folder: Path) -> bool:
    """Return whether a folder's files belong to the repository around them.

    Packages that are installed into an environment inside a user's repository do not.
    """
    return bool(git_output(folder, "ls-files", "--", "."))


def git_output(folder: Path, *arguments: str) -> str:
    """Return what git prints in a folder, without blanks at its ends; empty where it can't be
    asked.

    Args:
        folder: where it is asked.
        arguments: of git.
    """
    try:
        # ten seconds: a working tree on a slow network must not keep a study from being run
        done = subprocess.run(
            ["git", *arguments], cwd=folder, capture_output=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    # text in another encoding is no reason to fail
    return done.stdout.decode("utf-8", errors="replace").strip()
