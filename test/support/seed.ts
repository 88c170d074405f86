/**
 * Where everything random in the tests begins, a whole number from 0 to 2^31 - 1. The suite always begins at the same place, so that
 * its verdict is about the code and can be had again; `npm run campaign -- properties` begins elsewhere each time.
 */
export const testSeed = Number(process.env.TRIBUTARY_TEST_SEED ?? 20_251_027);
