import type { ArgumentKind } from "./argument-kinds.ts";
import { type CompletedCommand, type CompletedOption, commonOptions, completionModel } from "./completion-model.ts";
import { argumentPatterns, knownPaths, nameCommand, valuePatterns } from "./shell-patterns.ts";

/** For bash 3.2 and later, without the bash-completion package. */
export function bashScript(): string {
  const model = completionModel();
  return `# bash completion for tributary. Try it: source <(tributary completion bash)
_tributary() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" at="" args=0 value="" words="" i word
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="\${COMP_WORDS[i]}"
    if [ -n "$value" ]; then value=""; continue; fi
    case "$word" in
      :|=) value=" " ;; # bash breaks words at these
      -*) case "$at $word" in
        ${valuePatterns(model).join("|")}) value="$at $word" ;;
      esac ;;
      *) case "\${at:+$at }$word" in
        ${knownPaths(model).join("|")}) at="\${at:+$at }$word" ;;
        *) args=$((args + 1)) ;;
      esac ;;
    esac
  done
  if [ -n "$value" ]; then
    case "$value" in
${valueCases(model)}
    esac
  elif [ "\${cur#-}" != "$cur" ]; then
    case "$at" in
${optionCases(model)}
    esac
    words="$words ${namesOf(commonOptions())}"
  else
    case "$at $args" in
${wordCases(model)}
    esac
  fi
  if [ "$words" = "<files>" ]; then
    COMPREPLY=($(compgen -f -- "$cur"))
    compopt -o filenames 2>/dev/null
  else
    COMPREPLY=($(compgen -W "$words" -- "$cur"))
  fi
}
complete -F _tributary tributary
`;
}

function optionCases(model: readonly CompletedCommand[]): string {
  const own = model.filter(({ options }) => options.length > 0);
  return own.map(({ path, options }) => `      ${quote(path)}) words=${quote(namesOf(options))} ;;`).join("\n");
}

function namesOf(options: readonly CompletedOption[]): string {
  return options.flatMap(({ names }) => names).join(" ");
}

function valueCases(model: readonly CompletedCommand[]): string {
  const lines = model.flatMap(({ path, options }) =>
    options.flatMap(({ names, takes }) => {
      const words = takes === undefined ? undefined : wordsOf(takes);
      return words === undefined
        ? []
        : [`      ${names.map((name) => quote(`${path} ${name}`)).join("|")}) ${words} ;;`];
    }),
  );
  return [...lines, "      *) ;;"].join("\n");
}

function wordCases(model: readonly CompletedCommand[]): string {
  const commands = model
    .filter(({ words }) => words.length > 0)
    .map(
      ({ path, words }) => `      ${quote(`${path} 0`)}) words=${quote(words.map(({ name }) => name).join(" "))} ;;`,
    );
  const args = argumentPatterns(model).flatMap(({ pattern, kind }) => {
    const words = wordsOf(kind);
    return words === undefined ? [] : [`      ${pattern}) ${words} ;;`];
  });
  return [...commands, ...args, "      *) ;;"].join("\n");
}

/** The statement that sets `words`. */
function wordsOf(kind: ArgumentKind): string | undefined {
  switch (kind.kind) {
    case "files":
      return "words='<files>'";
    case "choices":
      return `words=${quote(kind.words.join(" "))}`;
    case "names":
      return `words="$("\${COMP_WORDS[0]}" ${nameCommand} ${kind.of} 2>/dev/null)"`;
    case "free":
      return undefined;
    default:
      return kind satisfies never;
  }
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
