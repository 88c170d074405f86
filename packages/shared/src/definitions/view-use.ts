import type { KeyMap } from "./entity.ts";
import type { UseState, ViewDefinition, ViewUse } from "./view-definition.ts";

export function viewUse<K extends KeyMap, Row>(view: () => ViewDefinition<K, Row>): ViewUse<K, Row> {
  return useOf({ view: view as () => ViewDefinition, keys: undefined, features: undefined, prefix: "" });
}

function useOf<K extends KeyMap, Row, Request>(state: UseState): ViewUse<K, Row, Request> {
  return {
    use: state,
    on: (keys) => useOf({ ...state, keys }),
    pick: (...features) => useOf({ ...state, features: features.map((feature) => feature.slice(state.prefix.length)) }),
    prefix: (prefix) => useOf({ ...state, prefix: prefix + state.prefix }),
  };
}
