import { createTestTributary } from "@tributary/client/testing";
import { type ClientRig, describeClient } from "./conformance.ts";
import * as definitions from "./definitions.ts";

describeClient("of the stand-in", async (): Promise<ClientRig> => {
  const test = createTestTributary(definitions);
  return {
    client: test,
    now: test.clock.now,
    set: async (view, code, features, eventTime) => test.set(view.name, { code }, features, { eventTime }),
    confirm: async (view, _code, at) => test.confirm(view, at),
    events: async (source) => test.events(source),
    stop: () => test.close(),
  };
});
