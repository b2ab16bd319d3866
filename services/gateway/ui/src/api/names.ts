/** Random names: of requests, of tabs. */

/** 32 hexadecimal digits. Not `randomUUID`, which browsers keep from pages that come over plain HTTP from another host. */
export function randomName(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
