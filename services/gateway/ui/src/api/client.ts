/** Calls of the API, typed by its contract. `workspaceId` and the moment that is looked at are added by themselves. */
import { signal } from '@preact/signals'
import { heardOf } from '../live/link.ts'
import { at } from '../router/location.ts'
import { type Values, fill } from './address.ts'
import { errorOf, unreachable } from './error.ts'
import { randomName } from './names.ts'
import type { paths } from './schema'

type Method = 'get' | 'post' | 'put' | 'patch' | 'delete'

/** The templates that know a method. */
export type PathWith<M extends Method> = {
  [P in keyof paths]: paths[P] extends { [K in M]: { responses: unknown } } ? P : never
}[keyof paths]

type Operation<P extends keyof paths, M extends Method> = paths[P] extends { [K in M]: infer O } ? O : never
type Json<R> = R extends { content: { 'application/json': infer A } } ? A : undefined
type Good<R> = R extends { 200: infer A } ? A : R extends { 201: infer A } ? A : R extends { 202: infer A } ? A : R extends { 204: infer A } ? A : never

/** What a call answers with. */
export type Answer<P extends keyof paths, M extends Method> = Operation<P, M> extends { responses: infer R } ? Json<Good<R>> : never

/** What a call wants as its body. */
export type Body<P extends keyof paths, M extends Method> = Operation<P, M> extends { requestBody?: infer B }
  ? NonNullable<B> extends { content: { 'application/json': infer A } }
    ? A
    : undefined
  : undefined

export interface Asked {
  path?: Values
  query?: Values
  /** What has no past (API keys, the system's health): as of now, whatever moment is looked at. */
  timeless?: boolean
  signal?: AbortSignal
}

/** Who is signed in, and where. */
export interface Session {
  user: { id: string; name: string; isAdmin: boolean }
  workspaces: { id: string; name: string; slug: string }[]
  csrfToken: string
  expiresAt: string
}

/** null: nobody is signed in. */
export const session = signal<Session | null>(null)
/** Set when an answer was 401 though somebody had signed in: the frame asks them to sign in again, at the same address. */
export const expired = signal(false)
export const workspaceId = signal('')

/** Read something. */
export function get<P extends PathWith<'get'>>(template: P, asked: Asked = {}): Promise<Answer<P, 'get'>> {
  return getFrom(addressOf(template, asked), asked.signal)
}

/** A name for one request: sent again under the same one it is done once, and answered as the first time. */
export function requestKey(): string {
  return randomName()
}

/** Change something. In the past nothing can be changed; buttons say so before it comes to this.
 *
 *  `key` names the request; without one each call is a request of its own. `confirm` hands one out that stays while its dialog is open.
 */
export function send<M extends Exclude<Method, 'get'>, P extends PathWith<M>>(
  method: M,
  template: P,
  asked: Asked & { body?: Body<P, M>; key?: string } = {},
): Promise<Answer<P, M>> {
  return sendTo(method, fill(template, { workspaceId: workspaceId.peek(), ...asked.path }, asked.query), asked.body, asked.signal, asked.key)
}

/** The address of a read, as `get` uses it: `useQuery` keeps answers by it. */
export function addressOf(template: string, { path = {}, query = {}, timeless = false }: Asked = {}): string {
  return fill(template, { workspaceId: workspaceId.value, ...path }, timeless ? query : { ...query, at: at.value })
}

/** Read from an address that the contract does not name. The caller says what comes back, and which position it is to show `atLeast`. */
export async function getFrom<T>(address: string, signal?: AbortSignal, atLeast = 0): Promise<T> {
  return (await call('GET', address, undefined, signal, '', atLeast)) as T
}

/** Change something at an address that the contract does not name. */
export async function sendTo<T>(method: string, address: string, body?: unknown, signal?: AbortSignal, key = requestKey()): Promise<T> {
  return (await call(method.toUpperCase(), address, body, signal, key)) as T
}

async function call(method: string, address: string, body: unknown, signal?: AbortSignal, key = '', atLeast = 0): Promise<unknown> {
  const headers: Record<string, string> = { accept: 'application/json' }
  if (body !== undefined) headers['content-type'] = 'application/json'
  const csrf = method === 'GET' ? undefined : (session.peek()?.csrfToken ?? '')
  if (csrf !== undefined) headers['x-signalbox-csrf'] = csrf
  if (key) headers['idempotency-key'] = key
  if (atLeast) headers['signalbox-at-least'] = String(atLeast)
  let answer: Response
  try {
    answer = await fetch(address, {
      method,
      headers,
      credentials: 'same-origin',
      ...(body === undefined ? {} : { body: JSON.stringify(method === 'PATCH' ? body : withoutNulls(body)) }),
      ...(signal ? { signal } : {}),
    })
  } catch (failure) {
    if (signal?.aborted) throw failure
    throw unreachable()
  }
  const position = Number(answer.headers.get('signalbox-position'))
  if (position) heardOf(position)
  const text = await answer.text()
  const told = parsed(text)
  if (answer.ok) return told
  if (answer.status === 403 && csrf !== undefined && (told as { code?: unknown } | undefined)?.code === 'CSRF' && (await isRenewed(csrf))) {
    return call(method, address, body, signal, key)
  }
  if (answer.status === 401 && address !== '/api/session' && session.peek()) expired.value = true
  throw errorOf(answer.status, told, Number(answer.headers.get('retry-after')) || 0)
}

/** Another tab may have signed in again: the cookie is of that session, and the token here of the one before. Whether there is a new one. */
async function isRenewed(before: string): Promise<boolean> {
  const there = await getFrom<Session>('/api/session')
  if (there.csrfToken === before) return false
  // Somebody else's session is none to go on with unasked: what is done here was chosen by the one who was here first.
  if (there.user.id === session.peek()?.user.id) session.value = there
  else expired.value = true
  return !expired.peek()
}

/** The API wants a property left out rather than null, though its types name both; in a PATCH null takes it away. What is inside is the caller's. */
function withoutNulls(body: unknown): unknown {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return body
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null))
}

function parsed(text: string): unknown {
  if (!text) return undefined
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
