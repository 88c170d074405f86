/** What the caller can mend: told in its own words, without a stack. */
export class Refusal extends Error {
  readonly exitCode: number;

  /** @param exitCode 2 for a wrong call, 1 for something that is missing, 130 for an interrupt */
  constructor(message: string, exitCode: number) {
    super(message);
    this.name = "Refusal";
    this.exitCode = exitCode;
  }
}
