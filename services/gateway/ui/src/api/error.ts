/** What the API says when it can not do as asked, made readable. Pure. */

export interface Finding {
  where: string
  message: string
  /** Of an expression: where in its text, both from 1. */
  line?: number
  column?: number
}

export class ApiError extends Error {
  readonly status: number
  readonly code: string
  /** What is wrong where, for forms: `{where: 'rules.0.selector', message}`. */
  readonly findings: readonly Finding[]
  /** When it is worth trying again, in seconds; 0: not told. */
  readonly retryAfter: number

  constructor(status: number, message: string, code = '', findings: readonly Finding[] = [], retryAfter = 0) {
    super(message)
    this.name = 'ApiError'
    this.status = status
    this.code = code
    this.findings = findings
    this.retryAfter = retryAfter
  }

  /** Whether asking again may help: the fault was on the way, or passes. */
  get passing(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500
  }
}

/** What was heard of on the stream can not be read yet: no fault, and gone in a while. */
export function isBehind(failure: unknown): boolean {
  return failure instanceof ApiError && failure.code === 'BEHIND'
}

/** The error of an answer: `{message, code?, details?}`, or whatever came instead. */
export function errorOf(status: number, body: unknown, retryAfter = 0): ApiError {
  const told = isObject(body) ? body : {}
  const message = typeof told['message'] === 'string' ? told['message'] : wordsFor(status)
  const code = typeof told['code'] === 'string' ? told['code'] : ''
  return new ApiError(status, message, code, findingsOf(told['details']), retryAfter)
}

/** No answer at all: the gateway was not reached. */
export function unreachable(): ApiError {
  return new ApiError(0, 'The gateway does not answer. Check that it runs and that this machine has a network.')
}

function findingsOf(details: unknown): Finding[] {
  if (!Array.isArray(details)) return []
  return details.filter(isObject).flatMap((one) => {
    const message = one['message']
    if (typeof message !== 'string') return []
    const path = typeof one['path'] === 'string' ? one['path'] : ''
    const spot = typeof one['line'] === 'number' && typeof one['column'] === 'number' ? { line: one['line'], column: one['column'] } : {}
    return [{ where: path.replace(/^\/(body|query)\/?/, '').replaceAll('/', '.'), message, ...spot }]
  })
}

function wordsFor(status: number): string {
  if (status === 401) return 'The session is over: sign in again.'
  if (status === 403) return 'You may not do this.'
  if (status === 404) return 'There is no such thing here, or not for you.'
  if (status === 503) return 'The gateway waits for something it needs. It will be back.'
  return `The gateway answered ${status}.`
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
