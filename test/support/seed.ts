const seedDefault = 20_251_027;

/**
 * Where everything random in the tests begins, a whole number from 0 to 2^31 - 1. The suite always begins at the same place, so that
 * its verdict is about the code and can be had again; `npm run campaign -- properties` begins elsewhere each time.
 */
export const testSeed = readSeed(process.env.TRIBUTARY_TEST_SEED);

function readSeed(text: string | undefined): number {
  if (text === undefined) return seedDefault;
  const seed = Number(text);
  if (/^\d+$/.test(text) && seed < 2 ** 31) return seed;
  throw new Error(`TRIBUTARY_TEST_SEED must be a whole number from 0 to 2^31 - 1, not "${text}"`);
}
