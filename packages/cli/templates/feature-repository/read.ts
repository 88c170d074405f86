import { readFileSync } from "node:fs";
import { connectTributary } from "@tributary/client/connect";
import { trackCard } from "./features.ts";

const tributary = await connectTributary({ natsUrl: process.env.NATS_URL ?? natsUrlOfDev() });
const [row] = await tributary.read(trackCard, [{ track: process.argv[2] ?? "blue-lamp" }]);
// The row's type comes from the definitions: number | null, string | null.
console.log({ plays_5m: row?.plays_5m, starsMean: row?.starsMean, energy: row?.energy, mood: row?.mood });
await tributary.close();

/** Where a running `tributary dev` says that its servers are. */
function natsUrlOfDev(): string {
  const file = new URL(".tributary/environment.json", import.meta.url);
  return JSON.parse(readFileSync(file, "utf8")).natsUrl;
}
