# What the package gives, for tools that read types; each name is loaded when it is first asked for.
from nbproof.builder import Built as Built
from nbproof.builder import build as build
from nbproof.builder import failure as failure
from nbproof.builder import planned as planned
from nbproof.commands import (
    CommandParser as CommandParser,
)
from nbproof.commands import (
    add_build as add_build,
)
from nbproof.commands import (
    add_command as add_command,
)
from nbproof.commands import (
    add_translate as add_translate,
)
from nbproof.commands import (
    add_verify as add_verify,
)
from nbproof.commands import (
    folder_option as folder_option,
)
from nbproof.commands import (
    shown as shown,
)
from nbproof.console import check_positive as check_positive
from nbproof.console import ended as ended
from nbproof.console import run_command as run_command
from nbproof.errors import (
    MissingExtraError as MissingExtraError,
)
from nbproof.errors import (
    NbproofError as NbproofError,
)
from nbproof.errors import (
    NotebookError as NotebookError,
)
from nbproof.errors import (
    OutputError as OutputError,
)
from nbproof.errors import (
    ParameterError as ParameterError,
)
from nbproof.errors import (
    UnknownNameError as UnknownNameError,
)
from nbproof.errors import (
    named as named,
)
from nbproof.errors import (
    nearest as nearest,
)
from nbproof.errors import (
    quoted as quoted,
)
from nbproof.files import (
    check_file as check_file,
)
from nbproof.files import (
    read_bytes as read_bytes,
)
from nbproof.files import (
    read_toml as read_toml,
)
from nbproof.folder import (
    check_replaceable as check_replaceable,
)
from nbproof.folder import (
    held_folder as held_folder,
)
from nbproof.folder import (
    whole_folder as whole_folder,
)
from nbproof.index import Front as Front
from nbproof.index import front_page as front_page
from nbproof.look import Look as Look
from nbproof.look import provenance as provenance
from nbproof.machine import cache_folder as cache_folder
from nbproof.machine import processors as processors
from nbproof.numbers import format_number as format_number
from nbproof.numbers import snap as snap
from nbproof.numbers import text_table as text_table
from nbproof.owned import read_manifest as read_manifest
from nbproof.page import Evidence as Evidence
from nbproof.page import Page as Page
from nbproof.page import translated as translated
from nbproof.parameters import parameters_of as parameters_of
from nbproof.project import Project as Project
from nbproof.project import use as use
from nbproof.prose import REFERENCE as REFERENCE
from nbproof.prose import References as References
from nbproof.publish import as_json as as_json
from nbproof.publish import write_whole as write_whole
from nbproof.results import MIME as MIME
from nbproof.results import collect as collect
from nbproof.results import compare as compare
from nbproof.results import payloads as payloads
from nbproof.translation import Catalogue as Catalogue
from nbproof.translation import catalogue as catalogue
from nbproof.translation import filled as filled
from nbproof.translation import listed as listed
from nbproof.translation import words as words
from nbproof.verifier import (
    MARKED as MARKED,
)
from nbproof.verifier import (
    Verified as Verified,
)
from nbproof.verifier import (
    as_table as as_table,
)
from nbproof.verifier import (
    readme_drifts as readme_drifts,
)
from nbproof.verifier import (
    verify as verify,
)

__version__: str
