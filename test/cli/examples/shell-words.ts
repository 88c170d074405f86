export interface Call {
  readonly argv: readonly string[];
  /** The file behind `<`. */
  readonly inputFile: string | undefined;
}

/** What a shell makes of an example: words, quotes, and one `< file`. */
export function shellWords(line: string): Call {
  const words = [...line.matchAll(/(?:[^\s'"]|'[^']*'|"[^"]*")+/g)].map(([word]) => word);
  const at = words.indexOf("<");
  const argv = at === -1 ? words : [...words.slice(0, at), ...words.slice(at + 2)];
  return { argv: argv.map(unquote), inputFile: at === -1 ? undefined : words[at + 1] };
}

function unquote(word: string): string {
  return word.replace(/'([^']*)'|"([^"]*)"/g, (_, single?: string, double?: string) => single ?? double ?? "");
}
