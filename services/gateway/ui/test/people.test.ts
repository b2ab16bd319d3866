import assert from 'node:assert/strict'
import { test } from 'node:test'

/** What the names need of a browser; each question waits until the test answers it. */
const questions: { url: string; answer(response: Response): void }[] = []
Object.assign(globalThis, {
  location: { pathname: '/', search: '', href: 'http://localhost/' },
  // Hidden, so that no clock ticks.
  document: { hidden: true, addEventListener() {} },
  addEventListener() {},
  fetch: (url: string) => new Promise<Response>((answer) => void questions.push({ url, answer })),
})
const { session, workspaceId } = await import('../src/api/client.ts')
const { personName } = await import('../src/people/people.ts')

const settled = () => new Promise<void>((done) => setImmediate(done))
const people = (name: string) => Response.json({ items: [{ id: 'p-1', name }] })

test('all names of a look are asked for at once, and who is unknown is not asked for again', async () => {
  workspaceId.value = 'w-1'
  assert.equal(personName('p-1'), undefined)
  assert.equal(personName('p-2'), undefined)
  await settled()
  assert.equal(questions.length, 1)
  questions.shift()?.answer(people('mira'))
  await settled()
  assert.equal(personName('p-1'), 'mira')
  assert.equal(personName('p-2'), undefined)
  await settled()
  assert.equal(questions.length, 0)
})

test('another workspace is asked though the answer of the one before is on its way, which names nobody there', async () => {
  workspaceId.value = 'w-2'
  personName('p-1')
  await settled()
  workspaceId.value = 'w-3'
  assert.equal(personName('p-1'), undefined)
  await settled()
  assert.deepEqual(questions.map((one) => one.url), ['/api/v1/workspaces/w-2/people', '/api/v1/workspaces/w-3/people'])
  questions.shift()?.answer(people('somebody of the second'))
  await settled()
  assert.equal(personName('p-1'), undefined)
  questions.shift()?.answer(people('ana'))
  await settled()
  assert.equal(personName('p-1'), 'ana')
})

test('what somebody else may see is asked for anew', async () => {
  workspaceId.value = 'w-4'
  personName('p-1')
  await settled()
  session.value = { user: { id: 'p-9', name: 'nine', isAdmin: false }, workspaces: [], csrfToken: 't', expiresAt: '' }
  questions.shift()?.answer(people('seen by the one before'))
  await settled()
  assert.equal(personName('p-1'), undefined)
  assert.equal(personName('p-9'), 'nine')
  await settled()
  questions.shift()?.answer(people('mira'))
  await settled()
  assert.equal(personName('p-1'), 'mira')
})

test('after a failure they are asked for again, in a while', async (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: 1_000_000 })
  workspaceId.value = 'w-5'
  personName('p-1')
  await settled()
  questions.shift()?.answer(new Response('', { status: 503 }))
  await settled()
  personName('p-1')
  await settled()
  assert.equal(questions.length, 0)
  t.mock.timers.tick(60_000)
  personName('p-1')
  await settled()
  questions.shift()?.answer(people('mira'))
  await settled()
  assert.equal(personName('p-1'), 'mira')
})
