/**
 * What Ctrl-C does. Left alone it ends the process at once, with a word on what is under way; a command that has something
 * to put in order, or whose ordinary end it is, takes it over.
 */
export class Interruption {
  #underWay: () => string | undefined = () => undefined;
  #resolve: (() => void) | undefined;

  /** What has been begun and how far it came, asked when an interrupt ends the process. The last given counts. */
  underWay(text: () => string): void {
    this.#underWay = text;
  }

  /** Resolves at the first interrupt, which then no longer ends the process; a second one does. */
  takeOver(): Promise<void> {
    return new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  /** True when the command ends by itself, else what to say before the process ends. */
  interrupt(): true | string {
    const resolve = this.#resolve;
    this.#resolve = undefined;
    if (resolve === undefined) return ["interrupted", this.#underWay()].filter(Boolean).join(": ");
    resolve();
    return true;
  }
}
