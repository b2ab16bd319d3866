import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DeploymentGates, Policy, Reach, Reason, RolloutExplanation } from '../src/api/schema'
import type { Cell, Line } from '../src/board/types.ts'
import { cornerOf, graphOf, pathOf } from '../src/pages/deployment/layers.ts'
import { appliedOf, chipWords, farOf, gateOf, standingOf, whereWords } from '../src/pages/deployment/words.ts'
import { fitting, sumOf } from '../src/board/sums.ts'

const reach = (name: string, running: number, targets: number, desired = running): Reach => ({ environmentId: name, name, targets, running, desired })
const rollout = (more: Partial<RolloutExplanation>) => ({ done: 0, going: 0, waiting: 0, blocked: 0, passed: 0, total: 4, reasons: [], ...more }) as RolloutExplanation
const reason = (more: Partial<Reason>) => ({ ruleType: 'anyApproval', ruleId: 'r', policyId: 'p', policyName: '', verdict: 'waiting', message: 'm', endedBy: '', whoEnds: [], facts: [], ...more }) as Reason
const policy = (id: string, ...rules: Record<string, unknown>[]) => ({ id, name: id, priority: 0, createdAt: '', rules: rules.map((rule, n) => ({ id: `${id}${n}`, ...rule })) }) as unknown as Policy
const BOX = { width: 100, height: 40, gapX: 50, gapY: 20 }
const layersOf = (ids: string[], ...edges: [string, string][]) => graphOf(ids, edges.map(([from, to]) => ({ from, to })))

test('how far a version came: everywhere, somewhere, wanted, not at all', () => {
  assert.deepEqual([reach('a', 2, 2), reach('a', 1, 2), reach('a', 0, 2, 1), reach('a', 0, 2)].map(farOf), ['all', 'some', 'wanted', 'none'])
  assert.equal(chipWords('1.0', 'ready', [reach('dev', 2, 2), reach('none', 0, 0), reach('prod', 0, 3)]), '1.0, ready: dev 2 of 2, prod 0 of 3')
})

test('where a version stands in an environment, in few words', () => {
  const said = (more: Partial<RolloutExplanation>) => standingOf(rollout(more))
  assert.deepEqual(said({ done: 4 }), { status: 'healthy', text: 'on all 4' })
  assert.deepEqual(said({ done: 1, going: 1, waiting: 2 }), { status: 'progressing', text: '1 of 4 done, 1 on the way' })
  assert.deepEqual(said({ blocked: 4 }), { status: 'blocked', text: 'blocked' })
  assert.deepEqual(said({ waiting: 4 }), { status: 'pending', text: 'waits' })
  // An approval is somebody's to give: the board calls that blocked, and so does every page.
  assert.deepEqual(said({ waiting: 4, reasons: [reason({ verdict: 'waiting' })] }), { status: 'blocked', text: 'blocked' })
  assert.deepEqual(said({ passed: 4 }), { status: 'paused', text: 'passed over' })
  assert.equal(standingOf(undefined).text, 'no targets')
})

test('a gate shows what holds first, and the rules that nothing is said of once it is passed', () => {
  const gated = { environmentId: 'e', targets: 1, gates: [{ policyId: 'p', targets: 1, upstream: [] }] }
  const policies = [policy('p', { gradualRollout: {} }, { rollback: {} }, { versionCooldown: {} })]
  const lines = gateOf([reason({ verdict: 'allowed', ruleType: 'gradualRollout', ruleId: 'p0' }), reason({ verdict: 'blocked' })], gated, policies, false)
  assert.deepEqual(lines.map((one) => [one.title, one.status]), [['Approval', 'blocked'], ['Gradual rollout', 'healthy'], ['Version cooldown', 'empty']])
  assert.deepEqual(gateOf([], gated, policies, true).map((one) => one.status), ['healthy', 'healthy'])
})

test('policies stand by priority, with where they apply', () => {
  const gates = { items: [{ environmentId: 'e', targets: 3, gates: [{ policyId: 'p', targets: 2, upstream: [] }] }], policies: [policy('q'), { ...policy('p'), priority: 5 }] } as DeploymentGates
  assert.deepEqual(appliedOf(gates).map((one) => [one.policy.id, one.where]), [['p', [{ environmentId: 'e', targets: 2, of: 3 }]], ['q', []]])
  assert.deepEqual([whereWords('prod', 3, 3), whereWords('prod', 2, 3), whereWords('prod', 1, 1)], ['all 3 targets in prod', '2 of 3 targets in prod', 'the target in prod'])
})

test('a node stands one layer after the last of those before it', () => {
  const graph = layersOf(['dev', 'eu', 'us', 'all'], ['dev', 'eu'], ['dev', 'us'], ['eu', 'all'], ['us', 'all'])
  assert.deepEqual(graph.nodes.map((one) => [one.id, one.layer, one.row]), [['dev', 0, 0], ['eu', 1, 0], ['us', 1, 1], ['all', 2, 0]])
  assert.deepEqual([graph.layers, graph.rows], [3, 2])
  assert.deepEqual(graph.nodes.map((one) => cornerOf(one, graph, BOX)), [[0, 30], [150, 0], [150, 60], [300, 30]])
})

test('an edge that follows from others is not drawn, nor one to what is not there', () => {
  const graph = layersOf(['a', 'b', 'c'], ['a', 'b'], ['b', 'c'], ['a', 'c'], ['a', 'x'], ['a', 'a'], ['a', 'b'])
  assert.deepEqual(graph.edges.map((one) => `${one.from}${one.to}`), ['ab', 'bc'])
})

test('a circle is drawn, and its edge back says so', () => {
  const graph = layersOf(['a', 'b'], ['a', 'b'], ['b', 'a'])
  assert.deepEqual(graph.edges.map((one) => [one.from, one.back]), [['a', false], ['b', true]])
  assert.equal(graph.layers, 2)
  assert.match(pathOf([0, 0], [150, 0], BOX, false), /^M100 20 C/)
  assert.match(pathOf([150, 0], [0, 0], BOX, true), /^M200 40 C/)
})

test('without edges every node is in the first layer, and without nodes there is none', () => {
  assert.deepEqual([layersOf(['a', 'b']).layers, layersOf(['a', 'b']).rows], [1, 2])
  assert.deepEqual([layersOf([]).layers, layersOf([]).rows], [0, 0])
})

test('an environment is as its worst cell, and counts what has targets', () => {
  const cell = (status: string, targets: number, done: number) => ({ status, targets, done, active: 0, failed: status === 'failed' ? 1 : 0, held: 0 }) as Cell
  const sum = sumOf([cell('healthy', 2, 2), cell('failed', 3, 2), cell('empty', 0, 0)])
  assert.deepEqual(sum, { targets: 5, done: 4, active: 0, failed: 1, held: 0, deployments: 2, status: 'failed' })
  assert.equal(sumOf([]).status, 'empty')
})

test('environments fit by their name and their systems', () => {
  const line = (name: string, system: string) => ({ id: name, name, position: 0, systems: [{ id: system, name: system }] }) as Line
  const all = [line('prod-eu', 'shop'), line('prod-us', 'bank')]
  assert.deepEqual(fitting(all, 'prod shop').map((one) => one.name), ['prod-eu'])
  assert.equal(fitting(all, '').length, 2)
})
