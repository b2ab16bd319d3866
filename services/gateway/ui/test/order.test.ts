import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inOrder, orderOf, sortOf, turned } from '../src/pages/resources/order.ts'

const resource = (name: string, kind: string, region = '') => ({ name, kind, identifier: name, updatedAt: '', metadata: (region ? { region } : {}) as Record<string, string> })

test('a heading turns the order up, down, and back', () => {
  assert.equal(turned(null, 'kind'), 'kind')
  assert.equal(turned(orderOf('kind'), 'kind'), '-kind')
  assert.equal(turned(orderOf('-kind'), 'kind'), '')
  assert.equal(turned(orderOf('-kind'), 'name'), 'name')
  assert.equal(orderOf(''), null)
  assert.deepEqual([sortOf(orderOf('-kind'), 'kind'), sortOf(orderOf('kind'), 'kind'), sortOf(null, 'kind')], ['descending', 'ascending', 'none'])
})

test('numbers in names count as numbers, equal ones follow their names, what has no value comes last', () => {
  const all = [resource('b-10', 'Vm', 'eu'), resource('b-9', 'Vm', 'us'), resource('a', 'Cluster')]
  const named = (text: string) => inOrder(all, orderOf(text) ?? { by: '', down: false }).map((one) => one.name)
  assert.deepEqual(named('name'), ['a', 'b-9', 'b-10'])
  assert.deepEqual(named('-name'), ['b-10', 'b-9', 'a'])
  assert.deepEqual(named('-kind'), ['b-9', 'b-10', 'a'])
  assert.deepEqual(named('metadata.region'), ['b-10', 'b-9', 'a'])
  assert.deepEqual(named('-metadata.region'), ['b-9', 'b-10', 'a'])
})
