import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Reason } from '../src/api/schema'
import { errorOf } from '../src/api/error.ts'
import { fill } from '../src/api/address.ts'
import { fitness } from '../src/frame/commands.ts'
import { yaml } from '../src/parts/yaml.ts'
import { inOrder, needsOf, statusOf, titleOf, untilOf, waysOf } from '../src/why/words.ts'

const way = (change: object) => ({
  kind: 'time' as const, message: '', at: '', agentId: null, policyId: null, selector: null, approvals: [], notUserIds: [], userIds: [], deploymentIds: [], environmentIds: [], resourceIds: [], ruleIds: [], ...change,
})
const reason = (change: Partial<Reason> = {}): Reason => ({
  ruleType: 'anyApproval', ruleId: 'r', policyId: 'p', policyName: 'guard', verdict: 'waiting', message: 'm', endedBy: 'two people approve',
  whoEnds: [], since: '', satisfiedAt: '', lookAgainAt: '', facts: [], skipId: null, ...change,
})

test('rules have names that people know, others are spelt', () => {
  assert.equal(titleOf('anyApproval'), 'Approval')
  assert.equal(titleOf('someNewRule'), 'Some new rule')
})

test('what an approval needs is a number of people, any other rule says it itself', () => {
  const missing = [way({ kind: 'approvers', approvals: [{ missing: 1, selector: null }, { missing: 2, selector: '"sre" in user.roles' }] })]
  assert.equal(needsOf(reason({ whoEnds: missing })), '1 more approval, 2 more approvals from "sre" in user.roles')
  assert.equal(needsOf(reason()), 'two people approve')
})

test('it waits until the time that ends it, else until it is looked at again', () => {
  assert.equal(untilOf(reason({ whoEnds: [way({ at: '2026-01-01T00:00:00.000Z' })], lookAgainAt: 'x' })), '2026-01-01T00:00:00.000Z')
  assert.equal(untilOf(reason({ lookAgainAt: '2026-01-02T00:00:00.000Z' })), '2026-01-02T00:00:00.000Z')
  assert.equal(untilOf(reason()), null)
})

test('who can act names the people and links what it is about', () => {
  const [named, linked] = waysOf(reason({ whoEnds: [way({ kind: 'users', userIds: ['u1'] }), way({ kind: 'admin', policyId: 'p1' })] }))
  assert.deepEqual(named?.users, ['u1'])
  assert.deepEqual(linked?.links, [{ route: 'policy', id: 'p1' }])
})

test('what holds comes first, what somebody must end before what time ends', () => {
  const lines = [reason({ verdict: 'allowed' }), reason({ verdict: 'waiting', ruleType: 'freeze' }), reason({ verdict: 'waiting' }), reason({ verdict: 'blocked', ruleType: 'versionSelector' })]
  assert.deepEqual(inOrder(lines).map((one) => [one.ruleType, statusOf(one)]), [['anyApproval', 'blocked'], ['versionSelector', 'blocked'], ['freeze', 'pending'], ['anyApproval', 'healthy']])
})

test('an error tells where, in the words of the form', () => {
  const error = errorOf(400, { message: 'no', details: [{ path: '/body/rules/0/name', message: 'must be string' }, 5] })
  assert.deepEqual(error.findings, [{ where: 'rules.0.name', message: 'must be string' }])
  assert.equal(errorOf(503, undefined).passing, true)
  assert.match(errorOf(401, 'x').message, /sign in/)
})

test('an address is filled in and escaped; one that lacks a part is a mistake', () => {
  assert.equal(fill('/a/{b}/c', { b: 'x/y' }, { q: 'a b', none: null, many: ['1', '2'], zero: 0 }), '/a/x%2Fy/c?q=a+b&many=1&many=2&zero=0')
  assert.throws(() => fill('/a/{b}', {}), /no b/)
})

test('the palette finds every word, beginnings first', () => {
  assert.ok(fitness('payments-api prod-eu', 'pay prod') > 0)
  assert.equal(fitness('payments-api prod-eu', 'pay dev'), -1)
  assert.ok(fitness('api', 'api') > fitness('payments-rapid', 'api'))
})

test('YAML is what YAML would read back', () => {
  assert.equal(yaml({ a: 1, b: [{ c: 'x y' }, 'd: e'], f: {}, g: [], h: null, yes: 'yes' }), 'a: 1\nb:\n  - c: x y\n  - "d: e"\nf: {}\ng: []\nh: null\n"yes": "yes"')
})
