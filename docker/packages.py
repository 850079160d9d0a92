"""Print what an image installs: the packages that pyproject.toml names, those of the servers, and the build backend.

python packages.py pyproject.toml
"""

import sys
import tomllib

with open(sys.argv[1], "rb") as file:
    told = tomllib.load(file)
project = told["project"]
print(
    *project["dependencies"],
    *project["optional-dependencies"]["servers"],
    *told["build-system"]["requires"],
    sep="\n",
)
