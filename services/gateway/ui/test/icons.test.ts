import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { ICONS } from '../src/icons/names.ts'

test('the sprite has the symbols that the list names, no more and no fewer', () => {
  const sprite = readFileSync(new URL('../src/icons/sprite.svg', import.meta.url), 'utf8')
  const there = [...sprite.matchAll(/<symbol id="([^"]+)"/g)].map(([, name]) => name)
  assert.deepEqual([...there].sort(), [...ICONS].sort())
})
