import assert from 'node:assert/strict'
import { test } from 'node:test'
import { piecesOf } from '../src/parts/said.ts'
import { whoOf } from '../src/people/words.ts'

const MIRA = '44b7cc08-826a-5701-b75c-c8395e8f89fb'

test('instants, people and addresses are found in a sentence, whose pieces are all of it', () => {
  const sentence = `Frozen by ${MIRA} until 2026-11-24 16:37:44 UTC: quarter end (https://status.example.com/4711).`
  const pieces = piecesOf(sentence)
  assert.equal(pieces.map((one) => one.text).join(''), sentence)
  assert.deepEqual(
    pieces.filter((one) => one.kind !== 'text').map((one) => [one.kind, one.kind === 'time' ? one.at : one.text]),
    [['id', MIRA], ['time', '2026-11-24T16:37:44Z'], ['link', 'https://status.example.com/4711']],
  )
})

test('an instant may be to the minute, with parts of a second, or as RFC 3339 has it', () => {
  const at = (text: string) => piecesOf(text).flatMap((one) => (one.kind === 'time' ? [one.at] : []))
  assert.deepEqual(at('2026-11-24 16:37 UTC'), ['2026-11-24T16:37Z'])
  assert.deepEqual(at('2026-11-24 16:37:44.120 UTC'), ['2026-11-24T16:37:44.120Z'])
  assert.deepEqual(at('from 2026-11-24T16:37:44.000Z on'), ['2026-11-24T16:37:44.000Z'])
  for (const [text] of [['2026-11-24'], ['16:37:44 UTC'], ['2026-11-24 16:37 CET']]) assert.deepEqual(at(text ?? ''), [])
  for (const one of at('2026-11-24 16:37 UTC, 2026-11-24 16:37:44.120 UTC')) assert.ok(!Number.isNaN(Date.parse(one)))
})

test('what only looks like an instant stays as it was written: nothing of a sentence is lost', () => {
  for (const text of ['2026-13-45 10:00 UTC', '2026-02-30T10:00Z', 'until 2026-11-24 25:61 UTC, or so', '2026-11-24T10:00Zulu']) {
    assert.deepEqual(piecesOf(text), [{ kind: 'text', text }], text)
  }
  assert.deepEqual(piecesOf('2026-11-24t16:37:44z').map((one) => (one.kind === 'time' ? one.at : '')), ['2026-11-24T16:37:44Z'])
  assert.deepEqual(piecesOf('2026-11-24 16:37 utc').map((one) => (one.kind === 'time' ? one.at : '')), ['2026-11-24T16:37Z'])
})

test('an id that is a part of something longer stays as it is', () => {
  assert.deepEqual(piecesOf(`${MIRA}-${MIRA}`).map((one) => one.kind), ['text'])
  assert.deepEqual(piecesOf(`job/${MIRA}`).map((one) => one.kind), ['text'])
  assert.deepEqual(piecesOf(''), [])
})

test('who did it is told by name, by service, or by the beginning of the id', () => {
  const name = (id: string) => (id === MIRA ? 'mira' : undefined)
  assert.equal(whoOf(`user:${MIRA}`, name), 'mira')
  assert.equal(whoOf(MIRA, name), 'mira')
  assert.equal(whoOf('service:policy', name), 'policy')
  assert.equal(whoOf('user:11111111-1111-4111-8111-111111111111', name), 'user 11111111')
  assert.equal(whoOf('11111111-1111-4111-8111-111111111111', name), 'user 11111111')
  assert.equal(whoOf('Ana Person', name), 'Ana Person')
  assert.equal(whoOf('', name), 'somebody')
  assert.equal(whoOf('user:', name), 'somebody')
  assert.equal(whoOf('key:11111111-1111-4111-8111-111111111111', name), 'key 11111111')
})

test('a name may have a colon', () => {
  for (const told of ['Ops: night shift', 'team:payments', 'service: the crew', 'a:b:c']) assert.equal(whoOf(told, () => undefined), told)
})
