import { principalTable } from "@tributary/shared/contracts/principals";
import type { Connection } from "@tributary/shared/messaging/contract";
import { findMissingGrants } from "@tributary/shared/messaging/permission-probe";
import type { Settings } from "../settings.ts";
import { withConnection } from "../with-connection.ts";
import { type Check, fail, ok } from "./check.ts";

/** What whoever applies, sets the clock, replays and ensures has to be allowed: a part of everything. */
const adminNeeds = {
  publish: [
    "$JS.API.STREAM.CREATE.*",
    "$JS.API.STREAM.UPDATE.*",
    "$JS.API.STREAM.INFO.*",
    "$JS.API.CONSUMER.DURABLE.CREATE.*.*",
    "$KV.TRIB_CATALOG.*",
    "$KV.TRIB_CLOCK.*",
    "trib.v1.rows.*.*.*",
    "trib.v1.events.*",
    "$SRV.*",
  ],
  subscribe: ["trib.v1.>"],
} as const;

/** Of the two users that the settings name; where they are one user, of that one. */
export async function permissionChecks(settings: Settings, admin: Connection): Promise<readonly Check[]> {
  const asAdmin = await permissionCheck(admin, "admin");
  const natsUrl = settings.natsUrl();
  if (natsUrl === settings.adminNatsUrl()) return [asAdmin, await permissionCheck(admin, "client")];
  return [asAdmin, await withConnection(natsUrl, (client) => permissionCheck(client, "client"))];
}

export type Role = "admin" | "client";

/** Whether this connection's user may do what the role does. Only what is missing is named. */
export async function permissionCheck(connection: Connection, role: Role): Promise<Check> {
  const name = `${role} permissions`;
  const { user } = connection;
  const { publish, subscribe } = role === "admin" ? adminNeeds : clientNeeds();
  const inbox = `_INBOX.${user}.>`;
  const missing = await findMissingGrants(connection, { publish, subscribe: [...subscribe, inbox] });
  const lacking = [
    ...missing.publish.map((grant) => `publish ${grant}`),
    ...missing.subscribe.map((grant) => `subscribe ${grant}`),
  ];
  if (lacking.length === 0) return ok(name, `user "${user}" may do all that the role needs`);
  return fail(
    name,
    `user "${user}" may not ${lacking.join(", ")}`,
    "grant it; docs/reference/subjects.md has the users",
  );
}

function clientNeeds() {
  return { publish: principalTable.find(({ name }) => name === "client")?.publish ?? [], subscribe: [] };
}
