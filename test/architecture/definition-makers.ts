import ts from "typescript";

/** A function that definitions modules call: what it returns says by its `kind` what it is. */
export interface Maker {
  readonly name: string;
  readonly signature: ts.Signature;
  /** Methods of what it returns. */
  readonly steps: readonly string[];
}

const kinds = [
  "entity",
  "eventSource",
  "tableSource",
  "view",
  "featureService",
  "onDemandFeature",
  "type",
  "aggregation",
  "derived",
  "missingSql",
];

/** The exported functions of a module that make definitions or parts of them. */
export function makersIn(checker: ts.TypeChecker, file: ts.SourceFile | undefined): Maker[] {
  const symbol = file && checker.getSymbolAtLocation(file);
  if (file === undefined || symbol === undefined) return [];
  return checker.getExportsOfModule(symbol).flatMap((exported) => {
    const type = checker.getTypeOfSymbolAtLocation(exported, file);
    const signature = type.getCallSignatures()[0];
    const made = signature && checker.getReturnTypeOfSignature(signature);
    if (signature === undefined || made === undefined || !hasKind(checker, made, file)) return [];
    const steps = made
      .getProperties()
      .filter((one) => checker.getTypeOfSymbolAtLocation(one, file).getCallSignatures().length > 0);
    return [{ name: exported.name, signature, steps: steps.map((one) => one.name) }];
  });
}

export function isMaker(checker: ts.TypeChecker, file: ts.SourceFile | undefined, name: string): boolean {
  return makersIn(checker, file).some((one) => one.name === name);
}

/** What its options may be called: the members of every argument that is a plain object. */
export function optionsOf(checker: ts.TypeChecker, { signature }: Maker): string[] {
  const names = signature.getParameters().flatMap((parameter) => {
    const declaration = parameter.valueDeclaration;
    if (declaration === undefined) return [];
    const given = checker.getNonNullableType(checker.getTypeOfSymbolAtLocation(parameter, declaration));
    const type = given.isTypeParameter() ? (checker.getBaseConstraintOfType(given) ?? given) : given;
    const members = type.isUnion() ? type.types : [type];
    const isOptions = members.every((one) => (one.flags & ts.TypeFlags.Object) !== 0 || one.isIntersection());
    if (!isOptions || members.some((one) => one.getProperty("kind") !== undefined || checker.isArrayLikeType(one)))
      return [];
    return members.flatMap((one) => one.getProperties().map(({ name }) => name));
  });
  return [...new Set(names)];
}

function hasKind(checker: ts.TypeChecker, type: ts.Type, at: ts.Node): boolean {
  const members = type.isUnion() ? type.types : [type];
  return members.some((one) => {
    const kind = one.getProperty("kind");
    const literal = kind && checker.getTypeOfSymbolAtLocation(kind, at);
    return literal?.isStringLiteral() === true && kinds.includes(literal.value);
  });
}
