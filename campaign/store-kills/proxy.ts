import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { commandOf, RespFrames } from "./resp.ts";
import type { Trap } from "./trap.ts";

/** Stands between one store and one server, and sees what they say to each other. */
export interface Proxy {
  readonly port: number;
  close(): Promise<void>;
}

export interface ProxyOptions {
  readonly store: string;
  readonly targetPort: number;
  readonly trap: Trap;
}

interface Wire {
  readonly store: Socket;
  readonly server: Socket;
}

/** What to do with bytes of either side; false: the store is dead, nothing more is forwarded. */
interface Tap {
  fromStore(bytes: Buffer): boolean;
  fromServer(bytes: Buffer): boolean;
}

export function startRedisProxy(options: ProxyOptions): Promise<Proxy> {
  return startProxy(options, (wire) => redisTap(wire, options));
}

export function startNatsProxy(options: ProxyOptions): Promise<Proxy> {
  return startProxy(options, (wire) => natsTap(wire, options));
}

async function startProxy({ targetPort }: ProxyOptions, tapOf: (wire: Wire) => Tap): Promise<Proxy> {
  const wires = new Set<Wire>();
  const server = createServer({ noDelay: true }, (store) => {
    const wire = { store, server: connect({ host: "127.0.0.1", port: targetPort, noDelay: true }) };
    wires.add(wire);
    join(wire, tapOf(wire), () => wires.delete(wire));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      for (const wire of wires) cut(wire);
      server.close();
      await once(server, "close");
    },
  };
}

function join(wire: Wire, tap: Tap, gone: () => void): void {
  let isDead = false;
  const hear = (from: Socket, take: (bytes: Buffer) => boolean) =>
    from.on("data", (bytes: Buffer) => {
      if (isDead || take(bytes)) return;
      isDead = true;
      wire.server.end(); // what was forwarded still gets there
      wire.store.destroy();
    });
  hear(wire.store, (bytes) => tap.fromStore(bytes));
  hear(wire.server, (bytes) => tap.fromServer(bytes));
  for (const socket of [wire.store, wire.server]) {
    socket.on("error", () => undefined); // a close follows
    socket.on("close", () => {
      if (!isDead) cut(wire);
      gone();
    });
  }
}

function cut({ store, server }: Wire): void {
  store.destroy();
  server.destroy();
}

/** Answers come in the order of the commands. */
function redisTap({ store, server }: Wire, { store: name, trap }: ProxyOptions): Tap {
  const [commands, answers] = [new RespFrames(), new RespFrames()];
  const unanswered: string[][] = [];
  return {
    fromStore: (bytes) =>
      commands.push(bytes).every((frame) => {
        const command = commandOf(frame);
        unanswered.push(command);
        const { isDead, isForwarded } = trap.passes(name, "command", command);
        if (isForwarded) server.write(frame);
        return !isDead;
      }),
    fromServer: (bytes) =>
      answers.push(bytes).every((frame) => {
        const { isDead } = trap.passes(name, "answer", unanswered.shift());
        if (!isDead) store.write(frame);
        return !isDead;
      }),
  };
}

const acks = /PUB \$JS\.ACK\S* \d+\r\n\+ACK\r\n/g;

/** Only whole acknowledgements are looked for: one that comes in two parts passes unseen. */
function natsTap({ store, server }: Wire, { store: name, trap }: ProxyOptions): Tap {
  return {
    fromStore: (bytes) => {
      for (const match of bytes.toString("latin1").matchAll(acks)) {
        if (!trap.passes(name, "ack").isDead) continue;
        server.write(bytes.subarray(0, match.index));
        return false;
      }
      server.write(bytes);
      return true;
    },
    fromServer: (bytes) => {
      store.write(bytes);
      return true;
    },
  };
}
