import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { LIVES, expiryOf, exportLine, isOver } from '../src/pages/settings/keys.ts'
import { standingOf } from '../src/pages/settings/standing.ts'
import { curl } from '../src/pages/start/curl.ts'
import { STEPS, type There, lacking, nextStep, slugOf } from '../src/pages/start/plan.ts'

const NOTHING: There = { system: null, environment: null, resource: null, agent: null, deployment: null, version: null }
const IDS = { system: 's', environment: 'e', resource: 'r', agent: 'a', deployment: 'd', version: 'v' }

test('a command is one call in a shell, whatever its texts have in them', () => {
  const text = curl('POST', 'http://host/x', { name: "it's $HOME `now` \\ \"quoted\"", list: [1, 'a'] })
  const shell = `curl() { printf '%s\\n' "$@"; }; SIGNALBOX_API_KEY=key; ${text}`
  const told = execFileSync('sh', ['-c', shell], { encoding: 'utf8' }).trimEnd().split('\n')
  assert.deepEqual(told.slice(0, -1), ['-X', 'POST', 'http://host/x', '-H', 'X-API-Key: key', '-H', 'Content-Type: application/json', '-d'])
  assert.deepEqual(JSON.parse(told.at(-1) ?? ''), { name: "it's $HOME `now` \\ \"quoted\"", list: [1, 'a'] })
})

test('the guide goes on where something is missing', () => {
  assert.equal(nextStep(NOTHING)?.key, 'system')
  const named = { id: '1', name: 'x' }
  assert.equal(nextStep({ ...NOTHING, system: named, environment: named, agent: named })?.key, 'resource')
  const all: There = { system: named, environment: named, resource: { ...named, identifier: 'x' }, agent: named, deployment: named, version: { id: '1', tag: 'v1' } }
  assert.equal(nextStep(all), undefined)
})

test('each step makes its calls out of what was filled in and what is there', () => {
  const there: There = { ...NOTHING, system: { id: 'sys', name: 'shop' }, agent: { id: 'a', name: 'the "runner"' }, deployment: { id: 'dep', name: 'api' } }
  const calls = STEPS.map((step) => step.calls(Object.fromEntries(step.fields.map(({ name, value }) => [name, value])), there, IDS))
  assert.deepEqual(calls.flat().map(({ method, path }) => `${method} ${path}`), [
    'POST /systems',
    'PUT /environments/e',
    'PUT /systems/sys/environments/e',
    'PUT /resources/identifier/cluster%2Fone',
    'PUT /job-agents/a',
    'PUT /deployments/d',
    'PUT /systems/sys/deployments/d',
    'POST /deployments/dep/versions',
  ])
  const deployment = calls[4]?.[0]?.body as { slug: string; jobAgentSelector: string }
  assert.equal(deployment.slug, 'api')
  assert.equal(deployment.jobAgentSelector, 'jobAgent.name == "the \\"runner\\""')
})

test('an empty field is told', () => {
  const [system] = STEPS
  assert.ok(system)
  assert.equal(lacking(system, { name: ' ' }), 'Name is empty.')
  assert.equal(lacking(system, { name: 'x' }), '')
  assert.equal(slugOf(' My API! '), 'my-api')
  assert.equal(slugOf('…'), 'deployment')
})

test('keys live for as long as was chosen', () => {
  const now = Date.parse('2026-01-01T00:00:00Z')
  assert.equal(expiryOf('7', now), '2026-01-08T00:00:00.000Z')
  assert.equal(expiryOf('', now), undefined)
  assert.ok(LIVES.some(([days]) => days === ''))
  assert.ok(isOver('2025-12-31T23:59:59Z', now))
  assert.ok(!isOver('2026-01-02T00:00:00Z', now))
  assert.ok(!isOver(undefined, now))
  assert.equal(exportLine('a.b'), "export SIGNALBOX_API_KEY='a.b'")
})

test('a service stands as far as it has read', () => {
  assert.deepEqual(standingOf({ position: 10, stopped: '' }, 10), { look: 'healthy', word: 'up to date', behind: 0 })
  assert.equal(standingOf({ position: 10, stopped: '' }, 5000).word, 'catching up')
  assert.deepEqual(standingOf({ position: null, stopped: '' }, 10), { look: 'pending', word: 'runs elsewhere', behind: null })
  assert.equal(standingOf({ position: 10, stopped: 'it broke' }, 10).look, 'failed')
})
