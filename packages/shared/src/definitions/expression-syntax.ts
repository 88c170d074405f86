import type { ParseResult } from "@marcbachmann/cel-js";

/** The syntax tree of an expression, of which only the shape that both walks need is known. */
type Node = ParseResult["ast"];

/** Bounds that structure alone cannot give; undefined when the expression keeps them. */
export function boundProblem(root: Node): string | undefined {
  const calls = callsIn(root, 0);
  if (calls.some(({ name }) => name === "matches"))
    return "matches is not available, because its running time has no bound; use startsWith, endsWith, contains or ==";
  const nested = calls.find(({ name, macros }) => macroNames.has(name) && macros > 0);
  return nested && `${nested.name} inside another macro is not available, because its running time multiplies`;
}

const macroNames = new Set(["map", "filter", "all", "exists", "exists_one"]);

interface Call {
  readonly name: string;
  /** Macros around it. */
  readonly macros: number;
}

/** Every method called, with how many macros are around it; a macro's receiver stands outside it. */
function callsIn(node: Node, macros: number): Call[] {
  if (node.op !== "rcall") return childrenOf(node).flatMap((child) => callsIn(child, macros));
  const [name, receiver, args] = node.args as [string, Node, Node[]];
  const inside = macroNames.has(name) ? macros + 1 : macros;
  return [{ name, macros }, ...callsIn(receiver, macros), ...args.flatMap((argument) => callsIn(argument, inside))];
}

/** Every name that may stand for a value. */
export function namesIn(node: Node): ReadonlySet<string> {
  if (node.op === "id") return new Set([String(node.args)]);
  return new Set(childrenOf(node).flatMap((child) => [...namesIn(child)]));
}

/**
 * The expression with each `null` that is a branch of `?:` replaced by `call`: CEL wants both branches of one type, and null is
 * none of them.
 */
export function typedNulls(expression: string, root: Node, call: string): string {
  const nulls = nullBranches(root).sort((a, b) => b.start - a.start);
  return nulls.reduce((text, { start, end }) => text.slice(0, start) + call + text.slice(end), expression);
}

function nullBranches(node: Node): Node[] {
  const below = childrenOf(node).flatMap(nullBranches);
  if (node.op !== "?:") return below;
  const branches = (node.args as Node[]).slice(1);
  return [...below, ...branches.filter(({ op, args }) => op === "value" && args === null)];
}

function childrenOf({ args }: Node): Node[] {
  const parts: unknown[] = Array.isArray(args) ? args.flat(2) : [args];
  return parts.filter(isNode);
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && "op" in value && "args" in value;
}
