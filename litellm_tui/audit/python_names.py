"""What the names of a Python module are once it is imported, as far as its source tells; nothing of it is run.

The statements are followed in their order. What depends on something that is not in the source is `unknown`, and a name
that may have been made in a way that is not followed is never `absent`.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple

from litellm_tui.model.python_modules import NamedThing


class Made(NamedTuple):
    """What a name is; for a class also what its instances are."""

    kind: NamedThing
    instances: NamedThing = "unknown"


UNKNOWN: Final = Made("unknown")
_VALUE: Final = Made("value")
_CALLED: Final = Made("other")
_NAMES_OF_A_MODULE: Final = frozenset(
    {*dir(builtins), "__file__", "__builtins__", "__path__", "__cached__", "__annotations__", "__module__"}
)
# names made by these are not followed
_DYNAMIC: Final = frozenset({"globals", "exec", "eval", "setattr", "vars", "locals", "__import__"})
_LITERALS: Final = (
    ast.Constant, ast.List, ast.Dict, ast.Set, ast.Tuple, ast.JoinedStr, ast.ListComp, ast.DictComp, ast.SetComp,
    ast.GeneratorExp,
)  # fmt: skip
# builtin functions whose answer nobody can call
_PLAIN: Final = frozenset(
    {"open", "int", "str", "float", "bool", "bytes", "dict", "list", "set", "tuple", "frozenset", "len", "range"}
)
_SAME_CLASS: Final = frozenset({"dataclass", "final", "runtime_checkable", "total_ordering"})
# LiteLLM's own: an instance of it is asked without being called
_LOGGER: Final = "CustomLogger"
_INNER: Final = (ast.Lambda, ast.ListComp, ast.DictComp, ast.SetComp, ast.GeneratorExp)
_FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef)

Find = Callable[[str], "Names | None"]


class Names:
    """The names of a module after its import.

    `find` gives the names of another module by its absolute name, None where they are not known. `given` are names that
    it has before it begins. `fault` is why the import fails for sure, `variables`
    what it takes from `os.environ` by a subscript, without which it fails too.
    """

    def __init__(self, tree: ast.Module, find: Find, given: frozenset[str] = frozenset()) -> None:
        self._find = find
        # a function may make these when it is called
        self._globals = frozenset(
            name for node in ast.walk(tree) if isinstance(node, ast.Global) for name in node.names
        )
        self._given = _NAMES_OF_A_MODULE | given | self._globals
        self.made: dict[str, Made] = {}
        self.fault = ""
        self.variables: tuple[str, ...] = ()
        self._is_open = any(isinstance(node, ast.Name) and node.id in _DYNAMIC for node in _at_once(tree.body)) or any(
            map(_makes_names, ast.walk(tree))
        )
        wanted: dict[str, None] = {}
        for node in tree.body:
            self._check(node, wanted)
            if isinstance(node, ast.Raise) and not self.fault:
                self.fault = f"line {node.lineno} of it raises"
            if self.fault:
                break
            self._run(node, self.made)
        if not _sets_variables(tree):
            self.variables = tuple(wanted)

    def thing(self, name: str) -> NamedThing:
        """What a name is."""
        found = self.made.get(name)
        if name in self._globals:
            return "unknown"
        if found is None:
            return "unknown" if self._is_open or self.fault else "absent"
        return found.kind

    def public(self) -> Iterator[tuple[str, Made]]:
        """What `import *` takes."""
        yield from ((name, made) for name, made in self.made.items() if not name.startswith("_"))

    @property
    def closed(self) -> bool:
        """Whether all of its names are known."""
        return not self._is_open

    # --- statements

    def _run(self, node: ast.stmt, made: dict[str, Made]) -> None:
        for inside in _own_nodes(node):
            # one that may be passed over, or is made inside of something else
            if isinstance(inside, ast.NamedExpr):
                made[inside.target.id] = UNKNOWN
        if type(node).__name__ == "TypeAlias":
            made.update((one.id, UNKNOWN) for one in ast.iter_child_nodes(node) if isinstance(one, ast.Name))
        for inside in _expressions(node):
            if isinstance(inside, ast.NamedExpr):
                self._bind(inside.target, self._kind(inside.value, made), None, made)
        match node:
            case ast.Assign(targets=targets, value=value):
                kind = self._kind(value, made)
                for target in targets:
                    self._bind(target, kind, value, made)
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                self._bind(target, self._kind(value, made), value, made)
            case ast.AugAssign(target=ast.Name(id=name), value=value):
                both = {made.get(name, UNKNOWN), self._kind(value, made)}
                made[name] = _VALUE if both == {_VALUE} else UNKNOWN
            case ast.ClassDef():
                made[node.name] = self._class(node, made)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                made[node.name] = UNKNOWN if node.decorator_list else _CALLED
            case ast.Import(names=names):
                for alias in names:
                    made[alias.asname or alias.name.partition(".")[0]] = _VALUE
            case ast.ImportFrom():
                self._import(node, made)
            case ast.Delete(targets=targets):
                for target in targets:
                    if isinstance(target, ast.Name):
                        made.pop(target.id, None)
            case ast.If(test=test, body=body, orelse=orelse):
                self._branch(_truth(test), body, orelse, made)
            case ast.While(test=test, body=body, orelse=orelse):
                self._branch(False if _truth(test) is False else None, body, orelse, made)
            case ast.For() | ast.AsyncFor():
                self._loop(node, made)
            case ast.With(items=items, body=body) | ast.AsyncWith(items=items, body=body):
                for item in items:
                    if item.optional_vars is not None:
                        self._bind(item.optional_vars, self._entered(item.context_expr, made), None, made)
                for inner in body:
                    self._run(inner, made)
            case (
                ast.Try(body=body, handlers=handlers, orelse=orelse, finalbody=finalbody)
                | ast.TryStar(body=body, handlers=handlers, orelse=orelse, finalbody=finalbody)
            ):
                tried = [*body, *orelse]
                self._either([tried, *([*body, *handler.body] for handler in handlers)], made, maybe=bool(handlers))
                for inner in finalbody:
                    self._run(inner, made)
            case ast.Match(cases=cases):
                for inside in ast.walk(node):
                    if isinstance(inside, ast.MatchAs | ast.MatchStar) and inside.name:
                        made[inside.name] = UNKNOWN
                self._either([case.body for case in cases], made, maybe=True)

    def _branch(self, truth: bool | None, body: list[ast.stmt], orelse: list[ast.stmt], made: dict[str, Made]) -> None:
        if truth is None:
            self._either([body, orelse], made)
            return
        for inner in body if truth else orelse:
            self._run(inner, made)

    def _either(self, branches: Iterable[list[ast.stmt]], made: dict[str, Made], maybe: bool = False) -> None:
        """One of the branches is run, nobody knows which; `maybe` none of them, or a part of one."""
        ends = []
        for branch in branches:
            end = dict(made)
            for inner in branch:
                self._run(inner, end)
            ends.append(end)
        if maybe:
            ends.append(dict(made))
        for name in {name for end in ends for name in end}:
            kinds = {end.get(name) for end in ends}
            only = kinds.pop() if len(kinds) == 1 else None
            made[name] = only or UNKNOWN

    def _loop(self, node: ast.For | ast.AsyncFor, made: dict[str, Made]) -> None:
        items = node.iter.elts if isinstance(node.iter, ast.Tuple | ast.List | ast.Set) else None
        if items == []:
            for inner in node.orelse:
                self._run(inner, made)
            return
        leaves = any(isinstance(inner, ast.Break) for inner in ast.walk(node))
        ordered = isinstance(node.iter, ast.Tuple | ast.List) and not leaves
        last = items[-1] if items and ordered and not isinstance(items[-1], ast.Starred) else None
        self._bind(node.target, UNKNOWN if last is None else self._kind(last, made), last, made)
        # what the body makes may depend on what came before it
        self._either([[*node.body, *node.orelse]], made, maybe=items is None or leaves)

    def _import(self, node: ast.ImportFrom, made: dict[str, Made]) -> None:
        module = "" if node.level else node.module or ""
        for alias in node.names:
            if alias.name == "*":
                names = self._find(module) if module else None
                if names is None:
                    self._is_open = True
                    continue
                self._is_open = self._is_open or not names.closed
                made.update(names.public())
            else:
                names = self._find(module) if module else None
                made[alias.asname or alias.name] = UNKNOWN if names is None else names.made.get(alias.name, UNKNOWN)

    def _class(self, node: ast.ClassDef, made: dict[str, Made]) -> Made:
        if not all(_last_name(decorator) in _SAME_CLASS for decorator in node.decorator_list):
            return UNKNOWN
        methods = {inner.name for inner in node.body if isinstance(inner, _FUNCTIONS)}
        named = (base for base in node.bases if not (isinstance(base, ast.Name) and base.id == "object"))
        bases = [self._kind(base, made) for base in named]
        odd = node.keywords or methods & {"__new__", "__getattr__", "__class_getitem__"}
        if "__call__" in methods or node.name == _LOGGER or Made("class", "other") in bases:
            return Made("class", "other")
        plain = not odd and all(base == Made("class", "value") for base in bases)
        return Made("class", "value" if plain else "unknown")

    # --- expressions

    def _bind(self, target: ast.expr, kind: Made, value: ast.expr | None, made: dict[str, Made]) -> None:
        """Give a target its kind; the parts of a tuple get those of the parts of the value."""
        if isinstance(target, ast.Name):
            made[target.id] = kind
        elif isinstance(target, ast.Tuple | ast.List):
            parts = value.elts if isinstance(value, ast.Tuple | ast.List) else []
            even = len(parts) == len(target.elts) and not any(
                isinstance(one, ast.Starred) for one in (*parts, *target.elts)
            )
            for place, one in enumerate(target.elts):
                inner = one.value if isinstance(one, ast.Starred) else one
                part = parts[place] if even else None
                self._bind(inner, UNKNOWN if part is None else self._kind(part, made), part, made)

    def _kind(self, node: ast.expr, made: dict[str, Made]) -> Made:
        match node:
            case _ if isinstance(node, _LITERALS):
                return _VALUE
            case ast.Name(id=name):
                return made.get(name, UNKNOWN)
            case ast.Lambda():
                return _CALLED
            case ast.NamedExpr(value=value) | ast.UnaryOp(operand=value):
                return self._kind(value, made)
            case ast.BinOp(left=one, right=other) | ast.IfExp(body=one, orelse=other):
                kinds = {self._kind(one, made), self._kind(other, made)}
                return kinds.pop() if len(kinds) == 1 else UNKNOWN
            case ast.BoolOp(values=values):
                kinds = {self._kind(value, made) for value in values}
                return kinds.pop() if len(kinds) == 1 else UNKNOWN
            case ast.Call(func=ast.Name(id=name)):
                if name in _PLAIN and name not in made:
                    return _VALUE
                maker = made.get(name, UNKNOWN)
                return Made(maker.instances) if maker.kind == "class" else UNKNOWN
        return UNKNOWN

    def _entered(self, node: ast.expr, made: dict[str, Made]) -> Made:
        """What `with … as` gives: a file is itself, and `nullcontext` what it was made of."""
        if isinstance(node, ast.Call) and _last_name(node.func) == "nullcontext" and len(node.args) == 1:
            return self._kind(node.args[0], made)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "open":
            return self._kind(node, made)
        return UNKNOWN

    # --- what fails

    def _check(self, node: ast.stmt, wanted: dict[str, None]) -> None:
        """Note what a statement that is run for sure uses and that is nowhere, and the variables that it takes."""
        for inside, own in _used(node):
            if isinstance(inside, ast.Subscript) and (variable := _taken_variable(inside)):
                wanted[variable] = None
            if not (isinstance(inside, ast.Name) and isinstance(inside.ctx, ast.Load)) or self._is_open:
                continue
            if inside.id not in self.made and inside.id not in self._given and inside.id not in own:
                self.fault = f"line {inside.lineno} of it uses {inside.id!r}, which is nowhere"
                return


def _makes_names(node: ast.AST) -> bool:
    """Whether names may come to a module by this in a way that is not followed, also from inside of a function."""
    match node:
        case ast.Name(id="globals"):
            return True
        case ast.Attribute(attr="modules", value=ast.Name(id="sys")):
            return True
        case ast.FunctionDef(name="__getattr__") | ast.MatchMapping(rest=str()):
            return True
        case ast.ClassDef(decorator_list=decorators):
            # enum.global_enum and its like
            return not all(_last_name(decorator) in _SAME_CLASS for decorator in decorators)
        case ast.Call(args=[*args]):
            # Enum._convert_ and its like, which are told where to put what they make
            told = any(isinstance(one, ast.Name) and one.id == "__name__" for one in args)
            return told and _last_name(node) != "getLogger"
    return False


def _used(node: ast.stmt) -> Iterator[tuple[ast.AST, frozenset[str]]]:
    """What is evaluated for sure when the statement is run, with the names that it makes itself."""
    if isinstance(node, ast.With | ast.AsyncWith | ast.Try | ast.TryStar | ast.Match | ast.Delete):
        return
    # since Python 3.12: they have names of their own
    if type(node).__name__ == "TypeAlias" or getattr(node, "type_params", None):
        return
    if isinstance(node, ast.If | ast.While):
        heads: list[ast.AST] = [node.test]
    elif isinstance(node, ast.For | ast.AsyncFor):
        heads = [node.iter]
    elif isinstance(node, _FUNCTIONS):
        heads = [*node.decorator_list, *node.args.defaults, *(one for one in node.args.kw_defaults if one)]
    elif isinstance(node, ast.ClassDef):
        heads = [*node.decorator_list, *node.bases, *(keyword.value for keyword in node.keywords)]
    elif isinstance(node, ast.AnnAssign):
        heads = [node.value] if node.value else []
    else:
        heads = [node]
    own = frozenset(one.target.id for one in _own_nodes(node) if isinstance(one, ast.NamedExpr))
    for head in heads:
        yield from ((inside, own) for inside in _outer(head))


def _outer(node: ast.AST) -> Iterator[ast.AST]:
    """A node and what is evaluated with it: not the insides of what has names of its own, or may be passed over."""
    if isinstance(node, _INNER):
        return
    yield node
    parts: Iterable[ast.AST] = ast.iter_child_nodes(node)
    if isinstance(node, ast.BoolOp):
        parts = node.values[:1]
    elif isinstance(node, ast.IfExp | ast.Assert):
        parts = [node.test]
    for part in parts:
        yield from _outer(part)


def _expressions(node: ast.stmt) -> Iterator[ast.AST]:
    """The expressions of a statement itself."""
    for part in ast.iter_child_nodes(node):
        if isinstance(part, ast.expr):
            yield from _outer(part)


def _own_nodes(node: ast.stmt) -> Iterator[ast.AST]:
    """All of a statement but the statements below it."""
    pending: list[ast.AST] = [part for part in ast.iter_child_nodes(node) if not isinstance(part, ast.stmt)]
    while pending:
        inside = pending.pop()
        yield inside
        pending += (part for part in ast.iter_child_nodes(inside) if not isinstance(part, ast.stmt))


def _at_once(body: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """What is executed when the module is imported: all but the insides of functions and lambdas."""
    pending = [*body]
    while pending:
        node = pending.pop()
        yield node
        if not isinstance(node, (*_FUNCTIONS, ast.Lambda)):
            pending += ast.iter_child_nodes(node)


def _truth(test: ast.expr) -> bool | None:
    """Whether a condition holds when the module is imported; None where that is not in the source."""
    if isinstance(test, ast.Constant):
        return bool(test.value)
    if _last_name(test) == "TYPE_CHECKING":
        return False
    match test:
        case ast.Compare(left=ast.Name(id="__name__"), ops=[ast.Eq()], comparators=[ast.Constant(value="__main__")]):
            return False
    return None


def _last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Call):
        return _last_name(node.func)
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _taken_variable(node: ast.Subscript) -> str:
    """The NAME of `os.environ["NAME"]` that is read."""
    named = isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, str)
    if not named or not isinstance(node.ctx, ast.Load) or _last_name(node.value) != "environ":
        return ""
    assert isinstance(node.slice, ast.Constant)
    return str(node.slice.value)


def _sets_variables(tree: ast.Module) -> bool:
    """Whether it may set variables itself before it takes one."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store) and _last_name(node.value) == "environ":
            return True
        if isinstance(node, ast.Call) and _last_name(node) in ("load_dotenv", "setdefault", "putenv", "update"):
            return True
    return False
