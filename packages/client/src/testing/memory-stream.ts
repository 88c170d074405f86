/** The counting side of a stream: sequences in an incarnation. */
export class MemoryStream {
  readonly incarnation = 1;
  #last = 0;

  get lastSequence(): number {
    return this.#last;
  }

  next(): number {
    this.#last += 1;
    return this.#last;
  }
}
