import type { CommandSpec } from "./command.ts";

/** Reading, writing, publishing, computing: what applications and models do, by hand. */
export const usingCommands: readonly CommandSpec[] = [
  {
    usage: "get <feature-service> [key=value...]",
    does: "read features",
    more: "A key that comes again begins the next entity.",
    options: [
      ["-d, --detail", "with lane, status, age and freshness"],
      ["--keys <json>", "the keys as a JSON array of objects; - reads them from standard input, also one a line"],
      ["--features <name...>", "only these"],
    ],
    examples: [
      "get boarding origin=ORD destination=LAX --detail",
      "get boarding origin=ORD destination=LAX origin=JFK destination=SFO",
      `get boarding --keys '[{"origin":"ORD","destination":"LAX"}]' --json`,
      "get boarding --keys - < keys.ndjson",
    ],
    load: () => import("./commands/get.ts"),
  },
  {
    usage: "put <direct-view> <key=value...>",
    does: "write features of a direct view",
    options: [
      ["-s, --set <feature=value...>", "a value is JSON, else text"],
      ["-w, --withdraw <feature...>", "take values back"],
      ["--event-time <instant>", "default: when the broker accepts it"],
      ["--idempotency-key <key>", "a retry gets the first outcome"],
    ],
    examples: ["put congestion code=ORD --set score=0.8 reason=snow", "put congestion code=ORD --withdraw reason"],
    load: () => import("./commands/put.ts"),
  },
  {
    usage: "publish <source> <json>",
    does: "publish an event, or an array of them; - reads standard input",
    more:
      "Standard input has one event a line and may be endless. A bad line ends it: the line's number and what is stored are told, " +
      "and the exit code is 6.",
    options: [["--id <id>", "published again within two minutes, it is stored once"]],
    examples: [
      `publish departures '{"origin":"ORD","destination":"LAX","delay":5,"at":"2001-03-01T12:00:00Z"}'`,
      "publish departures - < events.ndjson",
    ],
    load: () => import("./commands/publish.ts"),
  },
  {
    usage: "run <batch-view>",
    does: "run a batch view and follow it to its end",
    options: [["--interval-end <instant>", "default: the last interval that has ended"]],
    examples: ["run route_profile", "run route_profile --interval-end 2001-03-01T00:00:00Z"],
    load: () => import("./commands/run.ts"),
  },
];
