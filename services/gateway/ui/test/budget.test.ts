/** Over the files that were built: `npm run build` comes before this. */
import assert from 'node:assert/strict'
import { readFileSync, readdirSync } from 'node:fs'
import { test } from 'node:test'

const FIRST_SCREEN_BYTES = 30_000
const WHOLE_BYTES = 300_000

interface Chunk {
  file: string
  isEntry?: boolean
  imports?: string[]
}

const built = new URL('../../static/', import.meta.url)
const size = (file: string) => readFileSync(new URL(`${file}.gz`, built)).length
const manifest = () => JSON.parse(readFileSync(new URL('.vite/manifest.json', built), 'utf8')) as Record<string, Chunk>

test('JavaScript before the first screen is small, and comes in few files', () => {
  const chunks = manifest()
  const entry = Object.values(chunks).find((chunk) => chunk.isEntry)
  assert.ok(entry)
  const needed = new Set<string>()
  const add = (chunk: Chunk) => {
    needed.add(chunk.file)
    for (const name of chunk.imports ?? []) {
      const next = chunks[name]
      if (next && !needed.has(next.file)) add(next)
    }
  }
  add(entry)
  const scripts = [...needed].filter((file) => file.endsWith('.js'))
  const bytes = scripts.reduce((sum, file) => sum + size(file), 0)
  assert.ok(bytes <= FIRST_SCREEN_BYTES, `${bytes} bytes in ${scripts.join(', ')}`)
  // With the page, its style sheet and what it asks of us, these are the requests before it paints.
  assert.ok(scripts.length <= 3, scripts.join(', '))
})

test('all JavaScript together is small', () => {
  const scripts = readdirSync(new URL('assets/', built)).filter((name) => name.endsWith('.js'))
  const bytes = scripts.reduce((sum, name) => sum + size(`assets/${name}`), 0)
  assert.ok(bytes <= WHOLE_BYTES, `${bytes} bytes`)
})

test('the page runs nothing that is in it: no inline script, no inline style', () => {
  const page = readFileSync(new URL('index.html', built), 'utf8')
  assert.deepEqual([...page.matchAll(/<script(?![^>]*\bsrc=)([^>]*)>/g)].map(([, attributes]) => attributes?.trim()), ['type="application/json" id="boot"'])
  assert.doesNotMatch(page, /<style|\sstyle=|\son\w+=/)
})
