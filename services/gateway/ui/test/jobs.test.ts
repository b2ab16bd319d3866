import assert from 'node:assert/strict'
import { test } from 'node:test'
import { namesOfJob } from '../src/pages/job/names.ts'
import { STATUSES, overrideSays } from '../src/pages/job/words.ts'

test('a job is called after what it deploys and where', () => {
  const job = { deployment: { name: 'api' }, version: { tag: 'v1' }, resource: { name: 'one' }, environment: { name: 'staging' }, agent: { name: 'runner' } }
  assert.deepEqual(namesOfJob(job), { what: 'api v1', where: 'one in staging', agent: 'runner' })
  assert.deepEqual(namesOfJob({ run: { workflow: 'nightly', step: 'migrate' } }), { what: 'migrate', where: 'workflow nightly', agent: 'no agent' })
  assert.equal(namesOfJob({ ...job, resource: null }).where, '(deleted) in staging')
})

test('overriding a status says what follows from it, of each', () => {
  const said = new Set(Object.keys(STATUSES).map((status) => overrideSays(status, 'api v1', 'one in staging')))
  assert.equal(said.size, 4)
  for (const one of said) assert.match(one, /one in staging/)
  assert.match(overrideSays('successful', 'api v1', 'one'), /as deployed/)
  assert.match(overrideSays('failure', 'api v1', 'one'), /rollbacks/)
})
