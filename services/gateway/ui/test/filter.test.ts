import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Facts, filterOf, has, toggled } from '../src/board/filter.ts'

const facts = (change: Partial<Facts> = {}): Facts => ({
  deployment: 'checkout-api',
  environment: 'prod-eu',
  systems: ['Payments'],
  status: 'blocked',
  versions: ['4.2.0', '4.1.9'],
  reason: 'needs 1 approval',
  ...change,
})

test('an empty filter means everything', () => {
  const filter = filterOf('  ')
  assert.ok(filter.cell(facts()) && filter.column('dev') && !filter.looksAtCells)
})

const MEANT: [text: string, meant: boolean][] = [
  ['status:blocked', true],
  ['status:failed', false],
  ['status:failed,blocked', true],
  ['-status:blocked', false],
  ['env:prod-*', true],
  ['env:prod', false],
  ['-env:prod-*', false],
  ['system:payments', true],
  ['SYSTEM:PAY*', true],
  ['deployment:*api', true],
  ['version:4.1.*', true],
  ['version:4.3*', false],
  ['version:4+2*', false],
  ['reason:*approval*', true],
  ['reason:"needs 1 approval"', true],
  ['checkout', true],
  ['PAYMENTS', true],
  ['-checkout', false],
  ['status:blocked env:prod-* check', true],
  ['status:blocked env:dev', false],
  ['status:', true],
  ['-', true],
  ['owner:me', false],
]
for (const [text, meant] of MEANT) {
  test(`${text} ${meant ? 'means' : 'does not mean'} the cell`, () => assert.equal(filterOf(text).cell(facts()), meant))
}

test('rows and columns are told by what is known without cells', () => {
  const filter = filterOf('status:failed env:prod-* system:payments')
  assert.ok(filter.row({ deployment: 'x', systems: ['payments'] }))
  assert.ok(!filter.row({ deployment: 'payments', systems: ['other'] }))
  assert.ok(filter.column('prod-us') && !filter.column('dev'))
  assert.ok(filter.looksAtCells)
})

test('a name that means nothing is told, and its word is looked for as text', () => {
  assert.deepEqual(filterOf('owner:me status:failed').unknown, ['owner'])
  assert.deepEqual(filterOf('http://x').unknown, ['http'])
})

test('nothing that can be typed is an error', () => {
  for (const text of ['"', 'a"b', ':', '::', '-:', 'status:*', 'version:((', 'env:[', '\\', '***']) {
    assert.equal(typeof filterOf(text).cell(facts()), 'boolean')
  }
})

test('a counter puts its clause in, in the place of another of its name, and takes it out', () => {
  assert.equal(toggled('checkout', 'status:failed'), 'checkout status:failed')
  assert.equal(toggled('status:blocked checkout', 'status:failed'), 'checkout status:failed')
  assert.equal(toggled('checkout status:failed', 'status:failed'), 'checkout')
  assert.ok(has('a status:failed', 'status:failed') && !has('-status:failed', 'status:failed'))
})
