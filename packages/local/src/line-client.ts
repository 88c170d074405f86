import { connect } from "node:net";

const answerMsMax = 1_000;
const answerBytesMax = 64 * 1024;

/**
 * Sends text to a server that speaks in lines and resolves with what it said once `done` accepts it; undefined when it
 * refuses, closes or does not answer within a second.
 */
export function converse(
  address: { readonly host: string; readonly port: number },
  say: string,
  done: (heard: string) => boolean,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    let heard = "";
    const socket = connect(address);
    const end = (result: string | undefined) => {
      socket.destroy();
      resolve(result);
    };
    socket.setTimeout(answerMsMax, () => end(undefined));
    socket.on("error", () => end(undefined));
    socket.on("close", () => resolve(undefined));
    socket.on("connect", () => socket.write(say));
    socket.on("data", (data) => {
      heard += data.toString("latin1");
      if (done(heard)) end(heard);
      else if (heard.length > answerBytesMax) end(undefined);
    });
  });
}
