/** Text of others on a terminal: without control characters, which could move the cursor or hide what stands beside them. */
export function printable(text: string): string {
  return text.replace(/\p{C}/gu, "�");
}
