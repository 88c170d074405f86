import type { Tributary } from "@tributary/client/connect";
import { gate } from "../store/on-demand-guide.ts";

/** Compiled, never run. */
declare const tributary: Tributary;

const [row] = await tributary.read(gate, [{ origin: "ORD", partySize: 4 }]);
row?.delay_risk; // number | null

export const risk: number | null | undefined = row?.delay_risk;
