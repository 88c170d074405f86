/**
 * The slot of a Redis Cluster that a key with a hash tag lies in, 0 to 16383: CRC-16/XMODEM of what is between the first braces,
 * mod 16384 (https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/#key-distribution-model).
 */
export function hashSlot(key: string): number {
  const open = key.indexOf("{");
  const close = open < 0 ? -1 : key.indexOf("}", open + 1);
  return crc16(close > open + 1 ? key.slice(open + 1, close) : key) % slotCount;
}

export const slotCount = 16_384;

const polynomial = 0x1021;

function crc16(text: string): number {
  let crc = 0;
  for (const byte of new TextEncoder().encode(text)) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = ((crc & 0x8000) === 0 ? crc << 1 : (crc << 1) ^ polynomial) & 0xffff;
  }
  return crc;
}
