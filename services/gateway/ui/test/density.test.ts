/** Rows are drawn by the style sheet, and which of them are in sight is reckoned: both must mean the same height. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

const text = (file: string) => readFileSync(new URL(`../src/${file}`, import.meta.url), 'utf8')

test('rows are as high in the style sheet as they are reckoned', () => {
  const measure = (name: string) => Number(new RegExp(`const ${name} = (\\d+)`).exec(text('frame/density.ts'))?.[1])
  const tokens = [...text('styles/tokens.css').matchAll(/--row: (\d+)px/g)].map(([, px]) => Number(px))
  assert.deepEqual(tokens, [measure('ROW'), measure('ROW') - measure('LESS')])
  const breakpoint = /max-width: (\d+)px/.exec(text('parts/narrow.ts'))?.[1]
  assert.match(text('styles/tokens.css'), new RegExp(`min-width: ${Number(breakpoint) + 1}px\\) \\{\\s+:root\\[data-density='compact'\\]`))
})

test('the matrix takes the height of its rows from there alone', () => {
  const rules = [...text('pages/overview/overview.css').matchAll(/\.mx-(?:body|row|group)[^{]*\{[^}]*/g)].map(([rule]) => rule).join('\n')
  assert.match(rules, /height: calc\(var\(--count\) \* var\(--row\)\)/)
  assert.match(rules, /translateY\(calc\(var\(--at\) \* var\(--row\)\)\)/)
  assert.doesNotMatch(rules, /(?:height|translateY)[^;]*\d+px/)
})
