/** Values of keys, in their order. */
export type ReadKeys<T> = (keys: readonly string[]) => Promise<readonly T[]>;

interface Waiting<T> {
  readonly keys: readonly string[];
  readonly resolve: (values: readonly T[]) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Reads that are asked for in one breath, as requests of one piece of the broker's stream are, go to the server as one command: a
 * small read is two writes to sockets and little else, and its reply then leaves together with the others' as well. No read waits for
 * a later one: what is asked for is sent as soon as the running callback is over.
 * @param keysMax of one command that several reads share; a read above half of it goes alone, and nobody waits behind its reply
 */
export function joinReads<T>(read: ReadKeys<T>, keysMax: number): ReadKeys<T> {
  let waiting: Waiting<T>[] = [];
  let keysWaiting = 0;
  const send = () => {
    const sent = waiting;
    [waiting, keysWaiting] = [[], 0];
    if (sent.length > 0) void answer(read, sent);
  };
  return (keys) => {
    if (keys.length > keysMax / 2) return read(keys);
    if (keysWaiting + keys.length > keysMax) send();
    if (waiting.length === 0) queueMicrotask(send);
    keysWaiting += keys.length;
    return new Promise((resolve, reject) => waiting.push({ keys, resolve, reject }));
  };
}

/** Each gets its part; a failure is everybody's. */
async function answer<T>(read: ReadKeys<T>, sent: readonly Waiting<T>[]): Promise<void> {
  const [first] = sent;
  try {
    const values = await read(sent.length === 1 && first !== undefined ? first.keys : sent.flatMap(({ keys }) => keys));
    let at = 0;
    for (const { keys, resolve } of sent) {
      resolve(values.slice(at, at + keys.length));
      at += keys.length;
    }
  } catch (error) {
    for (const { reject } of sent) reject(error);
  }
}
