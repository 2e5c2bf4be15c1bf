"""Said codes: which codes of findings and errors a source tree can say, read from its syntax trees.

A code begins as a literal and ends at a *mouth*: the ``code`` of a `Finding`, a `Failure`, an error of the
family of `CryoplanError`, or a JSON object with a level and a code. Between the two it may pass helpers
(``fail("bad-header", ...)``), variables, tables and f-strings. A function whose parameter reaches a mouth is
a mouth itself. A member of an enum within a code makes a family (``path-through-*``). What cannot be
followed is named in `Said.lost`, so that nothing is passed over in silence.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

ROOT_ERROR = "CryoplanError"
RECORDS = ("Finding", "Failure")

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Said:
    """What a tree says: code to the places that say it, and the expressions that could not be followed."""

    places: dict[str, list[str]]
    lost: list[str]

    @property
    def codes(self) -> set[str]:
        return set(self.places)


@dataclass(eq=False)
class _Module:
    name: str
    tree: ast.Module
    functions: dict[str, list[Function]] = field(default_factory=lambda: defaultdict(list))
    classes: dict[str, ast.ClassDef] = field(default_factory=dict)
    imported: dict[str, tuple[str, str]] = field(default_factory=dict)
    owner: dict[ast.AST, Function | None] = field(default_factory=dict)
    methods: set[Function] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._walk(self.tree, None)

    def _walk(self, node: ast.AST, owner: Function | None) -> None:
        for child in ast.iter_child_nodes(node):
            self.owner[child] = owner
            if isinstance(child, Function):
                self.functions[child.name].append(child)
                if isinstance(node, ast.ClassDef):
                    self.methods.add(child)
            elif isinstance(child, ast.ClassDef):
                self.classes[child.name] = child
            elif isinstance(child, ast.ImportFrom) and child.module:
                for name in child.names:
                    self.imported[name.asname or name.name] = (child.module, name.name)
            self._walk(child, child if isinstance(child, Function) else owner)


@lru_cache(maxsize=1000)
def _module(name: str, text: str) -> _Module:
    """Return a module as it was parsed before: trees that differ in one file are read often."""
    return _Module(name, ast.parse(text))


def said_codes(package: Path) -> Said:
    """Return every code that the modules below `package` can say."""
    return _Reader(package).read()


class _Reader:
    def __init__(self, package: Path) -> None:
        self._modules = {}
        for path in sorted(package.rglob("*.py")):
            parts = path.relative_to(package.parent).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            self._modules[name] = _module(name, path.read_text(encoding="utf-8"))
        self._errors = self._family()
        self._places: dict[str, list[str]] = defaultdict(list)
        self._lost: list[str] = []
        # A mouth: the function, and its parameter with what an f-string puts before and behind it.
        self._mouths: dict[Function, set[tuple[str, str, str]]] = defaultdict(set)

    def read(self) -> Said:
        calls = list(self._calls())
        size = -1
        while size != sum(map(len, self._mouths.values())):
            size = sum(map(len, self._mouths.values()))
            self._places.clear()
            self._lost.clear()
            for module, node in calls:
                for said, before, behind in self._mouthfuls(module, node):
                    self._follow(module, said, before, behind, depth=0)
        return Said({c: sorted(p) for c, p in sorted(self._places.items())}, sorted(set(self._lost)))

    # Where codes are said -------------------------------------------------------------------------

    def _family(self) -> set[str]:
        family = {ROOT_ERROR}
        bases = {
            name: {b.id for b in known.bases if isinstance(b, ast.Name)}
            for module in self._modules.values()
            for name, known in module.classes.items()
        }
        while grown := {name for name, above in bases.items() if above & family} - family:
            family |= grown
        return family

    def _calls(self) -> Iterator[tuple[_Module, ast.AST]]:
        for module in self._modules.values():
            for node in ast.walk(module.tree):
                if isinstance(node, (ast.Call, ast.Dict, ast.ClassDef)):
                    yield module, node

    def _mouthfuls(self, module: _Module, node: ast.AST) -> Iterator[tuple[ast.expr, str, str]]:
        if isinstance(node, ast.ClassDef):
            yield from ((default, "", "") for default in self._defaults(node))
        elif isinstance(node, ast.Dict):
            keys = {
                k.value: v for k, v in zip(node.keys, node.values, strict=True) if isinstance(k, ast.Constant)
            }
            if {"level", "code"} <= keys.keys():
                yield keys["code"], "", ""
        elif isinstance(node, ast.Call):
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            by_name = {k.arg: k.value for k in node.keywords}
            if name in RECORDS or name in self._errors:
                if "code" in by_name:
                    yield by_name["code"], "", ""
                return
            functions = self._functions(module, node.func)
            for function in functions:
                for parameter, before, behind in self._mouths[function]:
                    said = self._argument(function, node, parameter)
                    if said is not None:
                        yield said, before, behind
            if (
                "code" in by_name
                and isinstance(node.func, ast.Name)
                and not functions
                and not self._is_class(module, name)
            ):
                # A class held in a variable, or a function from elsewhere such as `dataclasses.replace`.
                said = by_name["code"]
                if name not in module.imported or isinstance(said, ast.Constant):
                    yield said, "", ""

    def _defaults(self, known: ast.ClassDef) -> Iterator[ast.expr]:
        """Yield what a record or an error says when nobody gives it a code."""
        if known.name not in self._errors and known.name not in RECORDS:
            return
        for part in known.body:
            if isinstance(part, ast.AnnAssign) and getattr(part.target, "id", "") == "code" and part.value:
                yield part.value
            if isinstance(part, ast.FunctionDef) and part.name == "__init__":
                for argument, default in zip(part.args.kwonlyargs, part.args.kw_defaults, strict=True):
                    if argument.arg == "code" and default is not None:
                        yield default

    def _is_class(self, module: _Module, name: str) -> bool:
        where, original = module.imported.get(name, (module.name, name))
        found = self._modules.get(where)
        if found is not None and original not in found.classes and original in found.imported:
            return self._is_class(found, original)
        return found is not None and original in found.classes

    def _functions(self, module: _Module, called: ast.expr) -> list[Function]:
        if isinstance(called, ast.IfExp):
            return [*self._functions(module, called.body), *self._functions(module, called.orelse)]
        name = called.id if isinstance(called, ast.Name) else getattr(called, "attr", "")
        if module.functions.get(name):
            return module.functions[name]
        if name in module.imported:
            where, original = module.imported[name]
            found = self._modules.get(where)
            return found.functions.get(original, []) if found else []
        if isinstance(called, ast.Attribute):
            # A module's function by the module's name, or else a method of some class, whichever it is.
            where, original = module.imported.get(getattr(called.value, "id", ""), ("", ""))
            if (found := self._modules.get(f"{where}.{original}")) is not None:
                return found.functions.get(name, [])
            return [f for m in self._modules.values() for f in m.functions.get(name, []) if f in m.methods]
        return []

    @staticmethod
    def _argument(function: Function, call: ast.Call, parameter: str) -> ast.expr | None:
        for keyword in call.keywords:
            if keyword.arg == parameter:
                return keyword.value
        names = [a.arg for a in (*function.args.posonlyargs, *function.args.args)]
        if names[:1] in (["self"], ["cls"]):
            names = names[1:]
        if parameter in names and names.index(parameter) < len(call.args):
            return call.args[names.index(parameter)]
        defaults = dict(zip(reversed(names), reversed(function.args.defaults), strict=False))
        for argument, default in zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True):
            if default is not None:
                defaults[argument.arg] = default
        return defaults.get(parameter)

    def _answers(self, module: _Module, called: ast.expr) -> list[ast.expr]:
        """Return what the functions of this module return that a call can mean."""
        return [
            node.value
            for function in module.functions.get(getattr(called, "id", ""), [])
            for node in ast.walk(function)
            if isinstance(node, ast.Return) and node.value and module.owner[node] is function
        ]

    # What flows there -----------------------------------------------------------------------------

    def _follow(self, module: _Module, said: ast.expr, before: str, behind: str, depth: int) -> None:
        place = f"{module.name}:{getattr(said, 'lineno', 0)}"
        if depth > 8:
            self._lost.append(f"{place} {ast.unparse(said)}")
        elif isinstance(said, ast.Constant) and isinstance(said.value, str):
            self._places[f"{before}{said.value}{behind}"].append(place)
        elif isinstance(said, ast.IfExp):
            for side in (said.body, said.orelse):
                self._follow(module, side, before, behind, depth + 1)
        elif isinstance(said, ast.JoinedStr):
            self._follow_text(module, said, before, behind, depth)
        elif isinstance(said, ast.Attribute) and said.attr == "code":
            pass  # the code of another finding or error, which was said where that one was made
        elif isinstance(said, ast.Subscript) and getattr(said.slice, "value", None) == "code":
            pass  # read back from a file that holds what was said before
        elif isinstance(said, ast.Name):
            self._follow_name(module, said, before, behind, depth)
        elif isinstance(said, ast.Attribute) and said.attr == "value" and before + behind:
            self._places[f"{before}*{behind}"].append(place)  # a family: one code for each member of an enum
        elif isinstance(said, ast.Call) and (answers := self._answers(module, said.func)):
            for answer in answers:
                self._follow(module, answer, before, behind, depth + 1)
        else:
            self._lost.append(f"{place} {ast.unparse(said)}")

    def _follow_text(
        self, module: _Module, said: ast.JoinedStr, before: str, behind: str, depth: int
    ) -> None:
        holes = [n for n, part in enumerate(said.values) if isinstance(part, ast.FormattedValue)]
        if len(holes) != 1:
            self._lost.append(f"{module.name}:{said.lineno} {ast.unparse(said)}")
            return
        texts = [getattr(part, "value", "") for part in said.values]
        hole = said.values[holes[0]]
        assert isinstance(hole, ast.FormattedValue)
        head, tail = "".join(texts[: holes[0]]), "".join(texts[holes[0] + 1 :])
        self._follow(module, hole.value, before + head, tail + behind, depth + 1)

    def _follow_name(self, module: _Module, said: ast.Name, before: str, behind: str, depth: int) -> None:
        owner = module.owner.get(said)
        found = list(self._values(module, owner, said.id)) if owner else []
        if owner and not found and said.id in _parameters(owner):
            self._mouths[owner].add((said.id, before, behind))
            return
        found = found or list(self._values(module, None, said.id))
        if not found and said.id in module.imported:
            where, original = module.imported[said.id]
            elsewhere = self._modules.get(where)
            for value in self._values(elsewhere, None, original) if elsewhere else ():
                self._follow(elsewhere, value, before, behind, depth + 1)
            return
        if not found:
            self._lost.append(f"{module.name}:{said.lineno} {said.id}")
        for value in found:
            self._follow(module, value, before, behind, depth + 1)

    def _values(self, module: _Module, owner: Function | None, name: str) -> Iterator[ast.expr]:
        """Yield what a name is given in a function, or in a module outside functions."""
        for node in ast.walk(owner or module.tree):
            if module.owner.get(node) is not owner:
                continue
            if isinstance(node, ast.Assign):
                pairs = [(target, node.value) for target in node.targets]
            elif isinstance(node, ast.AnnAssign) and node.value is not None:
                pairs = [(node.target, node.value)]
            elif isinstance(node, ast.For | ast.comprehension):
                pairs = [(node.target, one) for one in self._elements(module, owner, node.iter)]
            else:
                continue
            for target, value in pairs:
                if isinstance(target, ast.Name) and target.id == name:
                    yield value
                elif isinstance(target, ast.Tuple):
                    for number, part in enumerate(target.elts):
                        if isinstance(part, ast.Name) and part.id == name:
                            yield from self._members(module, owner, value, number)

    def _elements(self, module: _Module, owner: Function | None, row: ast.expr) -> list[ast.expr]:
        """Return what a loop runs over: the elements of a display, and what is appended to a list by name."""
        if not isinstance(row, ast.Name):
            return list(getattr(row, "elts", []))
        return [
            one
            for node in ast.walk(owner or module.tree)
            for one in (
                node.args
                if isinstance(node, ast.Call) and ast.unparse(node.func) == f"{row.id}.append"
                else getattr(node.value, "elts", [])
                if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == row.id
                else ()
            )
        ]

    def _members(
        self, module: _Module, owner: Function | None, value: ast.expr, number: int
    ) -> Iterator[ast.expr]:
        """Yield what stands at one place of every tuple that an expression can be."""
        if isinstance(value, ast.Tuple):
            yield value.elts[number]
        elif isinstance(value, ast.IfExp):
            for side in (value.body, value.orelse):
                yield from self._members(module, owner, side, number)
        elif isinstance(value, ast.Name):
            for one in (*self._values(module, owner, value.id), *self._values(module, None, value.id)):
                yield from self._members(module, owner, one, number)
        elif isinstance(value, ast.Call) and getattr(value.func, "attr", "") == "get":
            tables = self._values(module, None, getattr(value.func.value, "id", ""))  # type: ignore[attr-defined]
            for one in (*(v for t in tables for v in getattr(t, "values", [])), *value.args[1:]):
                yield from self._members(module, owner, one, number)
        else:
            yield value  # what it is cannot be told; following it will say so


def _parameters(function: Function) -> set[str]:
    arguments = function.args
    return {a.arg for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)}
