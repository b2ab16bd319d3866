import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chosen, clausesOf, expressionOf, offsetOf, toggled } from '../src/cel/clauses.ts'
import { suggestions, vocabulary } from '../src/cel/complete.ts'

test('clauses are told apart where && joins them, and nowhere else', () => {
  assert.deepEqual(clausesOf('a == "x && y" && (b || c) && d["&&"]'), ['a == "x && y"', '(b || c)', 'd["&&"]'])
  assert.deepEqual(clausesOf('a == "\\"&&" && b'), ['a == "\\"&&"', 'b'])
  assert.deepEqual(clausesOf('a && b || c'), ['a && b || c'])
  assert.deepEqual(clausesOf('  '), [])
})

test('a value is asked for, then another, then none', () => {
  const path = 'resource.kind'
  const one = toggled('resource.name == "x"', path, 'A')
  assert.equal(one, 'resource.name == "x" && resource.kind == "A"')
  const two = toggled(one, path, 'B')
  assert.equal(two, 'resource.name == "x" && resource.kind in ["A", "B"]')
  assert.deepEqual(chosen(two, path), ['A', 'B'])
  assert.equal(toggled(toggled(two, path, 'A'), path, 'B'), 'resource.name == "x"')
  assert.deepEqual(chosen('resource.kind.startsWith("A")', path), [])
})

test('a word is looked for in names, an expression stays what it is', () => {
  assert.match(expressionOf('prod-eu'), /^resource\.name\.contains\("prod-eu"\) \|\|/)
  assert.equal(expressionOf(' resource.kind == "A" '), 'resource.kind == "A"')
  assert.equal(expressionOf('true'), 'true')
})

test('a place is found in a text of several lines', () => {
  assert.equal(offsetOf('ab\ncde', 2, 3), 5)
  assert.equal(offsetOf('ab', 1, 9), 2)
})

const words = vocabulary(
  {
    kinds: [{ value: 'Cluster', count: 3 }],
    versions: [],
    providers: [{ id: 'p1', name: 'terraform', count: 2 }],
    metadata: [{ key: 'region', count: 3, values: [{ value: 'eu', count: 2 }, { value: 'us', count: 1 }] }],
    paths: ['config.server'],
  },
  { deployments: ['api'], environments: ['prod', 'staging'] },
)
const at = (text: string, before = text) => suggestions(text, before.length, words)

test('fields are offered by what is typed of them', () => {
  assert.deepEqual(at('resource.me').map((one) => one.label), ['resource.metadata["region"]'])
  assert.equal(at('resource.kind == "A" && reg')[0]?.text, 'resource.kind == "A" && resource.metadata["region"]')
  assert.equal(at('resource.metadata["re')[0]?.label, 'resource.metadata["region"]')
  assert.ok(at('').length > 3)
  assert.deepEqual(at('resource.kind == "A" '), [])
})

test('values are offered inside of their quotes, and close them', () => {
  assert.deepEqual(at('resource.metadata["region"] == "').map((one) => [one.label, one.hint]), [['eu', '2'], ['us', '1']])
  const [kind] = at('resource.kind == "cl')
  assert.equal(kind?.text, 'resource.kind == "Cluster"')
  assert.equal(at('resource.kind in ["Cluster", "')[0]?.text, 'resource.kind in ["Cluster", "Cluster"')
  const [closed] = at('environment.name == "st" && true', 'environment.name == "st')
  assert.equal(closed?.text, 'environment.name == "staging" && true')
  assert.equal(closed?.caret, 'environment.name == "staging"'.length)
  assert.equal(at('resource.providerId == "terra')[0]?.text, 'resource.providerId == "p1"')
  assert.deepEqual(at('resource.name == "resource.'), [])
})
