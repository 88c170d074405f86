import { startServers } from "@tributary/local/servers";

// Owns the servers of a directory until it is killed: see leftovers.test.ts.
const [directory = ""] = process.argv.slice(2);
const servers = await startServers({ directory, fsync: false });
process.stdout.write(`${JSON.stringify({ nats: servers.nats.pid, postgres: servers.postgres.pid })}\n`);
