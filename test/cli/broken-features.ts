import { entity } from "@tributary/shared/definitions/entity";
import { float64, string } from "@tributary/shared/definitions/feature-type";
import { directView } from "@tributary/shared/definitions/view";

const airport = entity("airport", { key: { code: string() } });
const options = { entity: airport, producers: [], features: { score: float64() } };

export const first = directView("first", { ...options, freshness: "soon" as "1m" });
export const second = directView("second", { ...options, freshness: "1m", ttl: "never" as "1m" });
