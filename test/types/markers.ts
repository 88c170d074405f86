import { existsSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import ts from "typescript";

/** One use that the compiler must refuse, marked by the line above it. */
export interface Marker {
  readonly file: string;
  /** Of the marked use, counted from 1. */
  readonly line: number;
  /** What the marker says is wrong. */
  readonly why: string;
  /** Of the errors that begin on the marked line without the marker; empty: the use is right, and the marker is not needed. */
  readonly errors: readonly string[];
}

export interface MarkerReport {
  readonly markers: readonly Marker[];
  /** Errors on lines that no marker marks, as `file:line message`. */
  readonly strays: readonly string[];
}

const marker = /^(\s*)\/\/ @ts-expect-error (.+)$/;

/**
 * Compiles the files without their markers. A marker hides the errors of the next line from the report and changes nothing of the
 * check itself, so taking all away at once tells of each what taking it away alone would.
 *
 * @param texts contents by path; other files are read from disk
 */
export function checkMarkers(texts: ReadonlyMap<string, string>, configPath: string): MarkerReport {
  const found = [...texts].flatMap(([file, text]) => markersIn(file, text));
  const bare = new Map([...texts].map(([file, text]) => [file, withoutMarkers(text)]));
  const errors = compile(bare, configPath);
  const markers = found.map((one) => ({
    ...one,
    errors: errors.filter((error) => isAt(error, one)).map((error) => error.message),
  }));
  const strays = errors.filter((error) => !found.some((one) => isAt(error, one)));
  return { markers, strays: strays.map(({ file, line, message }) => `${file}:${line} ${message}`) };
}

interface Place {
  readonly file: string;
  readonly line: number;
}

interface CompileError extends Place {
  readonly message: string;
}

function isAt(error: Place, { file, line }: Place): boolean {
  return error.file === file && error.line === line;
}

function markersIn(file: string, text: string): Omit<Marker, "errors">[] {
  return text.split("\n").flatMap((content, at) => {
    const why = marker.exec(content)?.[2];
    return why === undefined ? [] : [{ file, line: at + 2, why }];
  });
}

/** Lines keep their numbers. */
function withoutMarkers(text: string): string {
  const lines = text.split("\n");
  return lines.map((line) => line.replace(marker, "$1// wrong on purpose: $2")).join("\n");
}

function compile(texts: ReadonlyMap<string, string>, configPath: string): CompileError[] {
  const { config } = ts.readConfigFile(configPath, (path) => readFileSync(path, "utf8"));
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, dirname(configPath));
  const host = ts.createCompilerHost(options);
  const { readFile, fileExists } = host;
  host.readFile = (path) => texts.get(path) ?? readFile(path);
  host.fileExists = (path) => texts.has(path) || fileExists(path);
  host.getSourceFile = (path, language) => {
    const text = host.readFile(path);
    return text === undefined ? undefined : ts.createSourceFile(path, text, language);
  };
  const program = ts.createProgram([...texts.keys()], options, host);
  const missing = [...texts.keys()].filter((path) => program.getSourceFile(path) === undefined && !existsSync(path));
  if (missing.length > 0) throw new Error(`not compiled: ${missing.join(", ")}`);
  return [...texts.keys()].flatMap((path) => errorsOf(program, program.getSourceFile(path)));
}

function errorsOf(program: ts.Program, source: ts.SourceFile | undefined): CompileError[] {
  if (source === undefined) return [];
  const diagnostics = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
  return diagnostics.map(({ start = 0, messageText }) => ({
    file: source.fileName,
    line: source.getLineAndCharacterOfPosition(start).line + 1,
    message: ts.flattenDiagnosticMessageText(messageText, "\n"),
  }));
}
