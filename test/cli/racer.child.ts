import { type ApplyGrounds, applyCatalog } from "@tributary/cli/catalog/apply";
import type { CatalogBody } from "@tributary/shared/contracts/catalog";
import { asTributaryError } from "@tributary/shared/contracts/errors";
import { direct, firstBody } from "./catalog-bodies.ts";
import type { RaceOrder, RaceResult } from "./racer.ts";

/** One of two processes that apply at the same time: adds one view to whatever is current when it plans. */
let go = () => {};
process.on("message", (order: RaceOrder | "go") => {
  if (order === "go") go();
  else void race(order).then((result) => process.send?.(result));
});
process.on("disconnect", () => process.exit(0));
process.send?.("ready");

async function race({ view, holdAfterPlan, natsUrl, databaseUrl }: RaceOrder): Promise<RaceResult> {
  const onPlan = () =>
    new Promise<void>((resolve) => {
      go = resolve;
      process.send?.("planned");
    });
  try {
    const { version } = await applyCatalog({
      body: async (grounds) => withView(grounds, view),
      natsUrl,
      databaseUrl,
      author: `racer ${process.pid}`,
      message: view,
      waitMs: 0,
      ...(holdAfterPlan && { onPlan }),
    });
    return { view, version };
  } catch (thrown) {
    const { code, message } = asTributaryError(thrown);
    return { view, code, message };
  }
}

function withView({ live }: ApplyGrounds, name: string): CatalogBody {
  const {
    version: _version,
    fingerprint: _fingerprint,
    follows: _follows,
    ...body
  } = live.body ?? {
    ...firstBody,
    version: 0,
    fingerprint: "",
  };
  return { ...body, views: { ...body.views, [name]: { ...direct, name } } };
}
