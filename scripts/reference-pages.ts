import { errorTable } from "@tributary/shared/contracts/errors";
import { limits, maxClockSkewMs } from "@tributary/shared/contracts/limits";
import { principalTable } from "@tributary/shared/contracts/principals";
import { subjects } from "@tributary/shared/contracts/subjects";
import { bucketTable, consumerTable, streamTable } from "@tributary/shared/contracts/topology";
import type { ConfigTable } from "@tributary/shared/runtime/config";
import { options as batchRunner } from "../services/batch-runner/src/config.ts";
import { options as directGateway } from "../services/direct-gateway/src/config.ts";
import { options as onlineStore } from "../services/online-store/src/config.ts";
import { options as streamProcessor } from "../services/stream-processor/src/config.ts";
import { cliPage } from "./cli-page.ts";
import { lanePlannerPage } from "./lane-planner-page.ts";
import { page, table } from "./reference-text.ts";

/** File name → text of each reference page. */
export function referencePages(): Readonly<Record<string, string>> {
  return {
    "errors.md": errorsPage(),
    "subjects.md": subjectsPage(),
    "settings.md": settingsPage(),
    "limits.md": limitsPage(),
    "cli.md": cliPage(),
    "lane-planner.md": lanePlannerPage(),
  };
}

function errorsPage(): string {
  const rows = Object.entries(errorTable).map(([code, row]) => [
    `\`${code}\``,
    row.http,
    row.retryable ? "yes" : "no",
    row.means,
    row.fix,
  ]);
  return page("Errors", "Every error has a code of this table, a message that says what and which, and a hint.", [
    table(["code", "HTTP", "retry may help", "means", "what to do"], rows),
  ]);
}

function subjectsPage(): string {
  const names = [
    [subjects.events("<source>"), "any program → stream-processor", "one event or an array, JSON or msgpack"],
    [
      subjects.keyed(0, "<source>", "<entity>").replace("p00", "<pNN>"),
      "stream-processor (route) → its partition owners",
      "projected events with origins",
    ],
    [
      subjects.rows("batch", 0, "<view>").replace("p00", "<pNN>"),
      "batch-runner → online-store",
      "chunks of changed rows, confirmations",
    ],
    [
      subjects.rows("stream", 0, "<view>").replace("p00", "<pNN>"),
      "stream-processor → online-store",
      "chunks of rows with schedules, confirmations",
    ],
    [
      subjects.rows("direct", 0, "<view>").replace("p00", "<pNN>"),
      "direct-gateway → online-store",
      "chunks of written rows",
    ],
    [subjects.deadLetter("<lane>", "<process>"), "whoever gives up on a message", "the message and its cause"],
    [subjects.readFeatures, "applications → online-store", "request/reply"],
    [subjects.writeRows, "applications → direct-gateway", "request/reply"],
    [subjects.batchRun, "operators → batch-runner", "request/reply"],
    [subjects.batchStatus, "operators → batch-runner", "request/reply"],
    [subjects.streamStatus, "operators → stream-processor", "request/reply"],
    [subjects.streamRepublish("*").replace("*", "<pNN>"), "operators → the partition's owner", "request/reply"],
    [subjects.storeStatus, "operators → online-store", "request/reply"],
  ].map(([subject, who, what]) => [`\`${subject}\``, who, what]);
  const streams = streamTable.map((row) => [
    row.name,
    row.subjects.map((s) => `\`${s}\``).join(" "),
    row.discard,
    mebibytes(row.maxBytes),
    hours(row.maxAgeMs),
    row.why,
  ]);
  const consumers = consumerTable.map((row) => [row.stream, row.durable, row.ackWaitMs, row.ackPendingMax]);
  const buckets = bucketTable.map((row) => [row.name, hours(row.ttlMs), mebibytes(row.maxBytes), row.why]);
  const users = principalTable.map((row) => [row.name, row.why]);
  return page(
    "Subjects, streams, users",
    "`tributary admin ensure` creates or verifies all of it; the processes only bind.",
    [
      table(["subject", "who", "what"], names),
      "## Streams",
      table(["stream", "subjects", "discard", "MiB", "age limit", "why"], streams),
      "## Durable consumers",
      table(["stream", "name", "ack wait, ms", "unacknowledged at most"], consumers),
      "## KV buckets",
      table(["bucket", "kept", "MiB", "why"], buckets),
      "## NATS users",
      table(["user", "for"], users),
    ],
  );
}

function settingsPage(): string {
  const services: Record<string, ConfigTable> = {
    "batch-runner": batchRunner,
    "stream-processor": streamProcessor,
    "direct-gateway": directGateway,
    "online-store": onlineStore,
  };
  const parts = Object.entries(services).flatMap(([name, options]) => [
    `## ${name}`,
    table(
      ["variable", "what"],
      Object.values(options).map((option) => [`\`${option.env}\``, option.help]),
    ),
  ]);
  return page(
    "Settings",
    "Each service reads its settings from the environment; a secret may come from a file that `<NAME>_FILE` names.",
    parts,
  );
}

function limitsPage(): string {
  const rows = Object.entries({ ...limits, maxClockSkewMs }).map(([name, value]) => [
    `\`${name}\``,
    value.toLocaleString("en"),
  ]);
  return page("Limits", "Bytes unless the name says otherwise. What is larger is refused with `LIMIT_EXCEEDED`.", [
    table(["limit", "value"], rows),
  ]);
}

function mebibytes(bytes: number): string {
  return (bytes / 1024 / 1024).toLocaleString("en");
}

function hours(ms: number): string {
  return ms === 0 ? "none" : `${ms / 3_600_000} h`;
}
