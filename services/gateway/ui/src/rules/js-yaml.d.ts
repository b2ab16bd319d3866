/** What is used of it. */
declare module 'js-yaml' {
  export function load(text: string, options?: { schema?: unknown }): unknown
  export function dump(value: unknown, options?: { lineWidth?: number; noRefs?: boolean }): string
  export const JSON_SCHEMA: unknown
  export class YAMLException extends Error {
    reason: string
    mark?: { line: number; column: number }
  }
}
