import { connectTributary, type Tributary } from "@tributary/client/connect";
import { openConnection } from "@tributary/shared/messaging/connection";
import type { Connection } from "@tributary/shared/messaging/contract";

const name = "tributary-cli";
/** A person waits: shorter than a service would, but not too short for a machine that is busy starting everything. */
const patience = { startMsMax: 5_000, retryMsMax: 1_500 };

export async function withConnection<T>(natsUrl: string, work: (connection: Connection) => Promise<T>): Promise<T> {
  const connection = await openConnection({ url: natsUrl, name, ...patience });
  try {
    return await work(connection);
  } finally {
    await connection.close();
  }
}

export async function withClient<T>(natsUrl: string, work: (client: Tributary) => Promise<T>): Promise<T> {
  const client = await connectTributary({ natsUrl, name, ...patience });
  try {
    return await work(client);
  } finally {
    await client.close();
  }
}
