import type { KeyMap } from "./entity.ts";
import type { NamingStep, UseState, ViewDefinition, ViewUse } from "./view-definition.ts";

export function viewUse<K extends KeyMap, Row>(view: () => ViewDefinition<K, Row>): ViewUse<K, Row> {
  return useOf({ view: view as () => ViewDefinition, keys: undefined, naming: [], over: [] });
}

function useOf<K extends KeyMap, Row, Request, Whole>(state: UseState): ViewUse<K, Row, Request, Whole> {
  const name = (step: NamingStep): UseState => ({ ...state, naming: [...state.naming, step] });
  return {
    use: state,
    on: (keys) => useOf({ ...state, keys }),
    pick: (...names) => useOf(name({ kind: "pick", names })),
    prefix: (prefix) => useOf(name({ kind: "prefix", prefix })),
    rename: (names) => useOf(name({ kind: "rename", names: names as Readonly<Record<string, string>> })),
    overriddenBy: (upper) => useOf({ ...state, over: [upper as unknown as ViewDefinition, ...state.over] }),
  };
}
