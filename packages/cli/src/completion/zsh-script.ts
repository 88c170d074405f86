import type { ArgumentKind } from "./argument-kinds.ts";
import { type CompletedCommand, type CompletedOption, commonOptions, completionModel } from "./completion-model.ts";
import { argumentPatterns, knownPaths, nameCommand, valuePatterns } from "./shell-patterns.ts";

/** Works as a file `_tributary` on the function path, and sourced after `compinit`. */
export function zshScript(): string {
  const model = completionModel();
  return `#compdef tributary
# zsh completion for tributary. Try it: source <(tributary completion zsh)
_tributary() {
  local at="" value="" word
  local -i args=0 i
  local -a list
  for ((i = 2; i < CURRENT; i++)); do
    word="\${words[i]}"
    if [[ -n "$value" ]]; then value=""; continue; fi
    case "$word" in
      -*) case "$at $word" in
        ${valuePatterns(model).join("|")}) value="$at $word" ;;
      esac ;;
      *) case "\${at:+$at }$word" in
        ${knownPaths(model).join("|")}) at="\${at:+$at }$word" ;;
        *) args+=1 ;;
      esac ;;
    esac
  done
  if [[ -n "$value" ]]; then
    case "$value" in
${valueCases(model)}
    esac
  elif [[ "\${words[CURRENT]}" == -* ]]; then
    case "$at" in
${optionCases(model)}
    esac
    list+=(${itemsOf(commonOptions())})
  else
    case "$at $args" in
${wordCases(model)}
    esac
  fi
  _describe 'tributary' list
}
if [[ "\${zsh_eval_context[-1]}" == loadautofunc ]]; then _tributary "$@"; else compdef _tributary tributary; fi
`;
}

function optionCases(model: readonly CompletedCommand[]): string {
  const own = model.filter(({ options }) => options.length > 0);
  return own.map(({ path, options }) => `      ${quote(path)}) list=(${itemsOf(options)}) ;;`).join("\n");
}

function itemsOf(options: readonly CompletedOption[]): string {
  return options.flatMap(({ names, does }) => names.map((name) => item(name, does))).join(" ");
}

function valueCases(model: readonly CompletedCommand[]): string {
  const lines = model.flatMap(({ path, options }) =>
    options.flatMap(({ names, takes }) => {
      const list = takes === undefined ? undefined : listOf(takes);
      return list === undefined ? [] : [`      ${names.map((name) => quote(`${path} ${name}`)).join("|")}) ${list} ;;`];
    }),
  );
  return [...lines, "      *) ;;"].join("\n");
}

function wordCases(model: readonly CompletedCommand[]): string {
  const commands = model
    .filter(({ words }) => words.length > 0)
    .map(
      ({ path, words }) =>
        `      ${quote(`${path} 0`)}) list=(${words.map(({ name, does }) => item(name, does)).join(" ")}) ;;`,
    );
  const args = argumentPatterns(model).flatMap(({ pattern, kind }) => {
    const list = listOf(kind);
    return list === undefined ? [] : [`      ${pattern}) ${list} ;;`];
  });
  return [...commands, ...args, "      *) ;;"].join("\n");
}

/** The statement that fills `list`. */
function listOf(kind: ArgumentKind): string | undefined {
  switch (kind.kind) {
    case "files":
      return "_files; return";
    case "choices":
      return `list=(${kind.words.join(" ")})`;
    case "names":
      return `list=(\${(f)"$("\${words[1]}" ${nameCommand} ${kind.of} 2>/dev/null)"})`;
    case "free":
      return undefined;
    default:
      return kind satisfies never;
  }
}

/** `name:what it does`, as \`_describe\` reads it. */
function item(name: string, does: string): string {
  return quote(`${name}:${does.replaceAll(":", "\\:")}`);
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
