/**
 * The nodes, each behind those that it needs and otherwise in the order given, or the first circle: its nodes from one back to
 * the same one.
 * @param needs node → nodes; what is no node itself is passed over
 */
export function dependencyOrder(
  needs: ReadonlyMap<string, readonly string[]>,
): { readonly order: readonly string[] } | { readonly circle: readonly string[] } {
  const order = new Set<string>();
  const visit = (node: string, path: readonly string[]): readonly string[] | undefined => {
    if (order.has(node)) return undefined;
    if (path.includes(node)) return [...path.slice(path.indexOf(node)), node];
    for (const needed of needs.get(node) ?? []) {
      const circle = needs.has(needed) ? visit(needed, [...path, node]) : undefined;
      if (circle) return circle;
    }
    order.add(node);
    return undefined;
  };
  for (const node of needs.keys()) {
    const circle = visit(node, []);
    if (circle) return { circle };
  }
  return { order: [...order] };
}
