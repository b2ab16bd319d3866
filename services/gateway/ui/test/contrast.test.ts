import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

type Colour = [r: number, g: number, b: number]

/** oklch to linear sRGB, as CSS Color 4 has it; out of gamut is clipped, as near as the browser's mapping comes for these. */
function linear(lightness: number, chroma: number, hue: number): Colour {
  const a = chroma * Math.cos((hue * Math.PI) / 180)
  const b = chroma * Math.sin((hue * Math.PI) / 180)
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3
  const rgb = [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ]
  return rgb.map((one) => Math.max(0, Math.min(1, one))) as Colour
}

const luminance = ([r, g, b]: Colour) => 0.2126 * r + 0.7152 * g + 0.0722 * b

function contrast(one: Colour, other: Colour): number {
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b) as [number, number]
  return (light + 0.05) / (dark + 0.05)
}

const css = readFileSync(new URL('../src/styles/tokens.css', import.meta.url), 'utf8')
const ONE = String.raw`oklch\(([\d.]+)% ([\d.]+) ([\d.]+)\)`
const tokens = new Map(
  [...css.matchAll(new RegExp(`--([\\w-]+): light-dark\\(${ONE}, ${ONE}\\)`, 'g'))].map(([, name, ...numbers]) => {
    const [l1, c1, h1, l2, c2, h2] = numbers.map(Number) as [number, number, number, number, number, number]
    return [name ?? '', { light: linear(l1 / 100, c1, h1), dark: linear(l2 / 100, c2, h2) }] as const
  }),
)

const GROUNDS = ['bg', 'surface', 'raised', 'sunken', 'hover']
const STATUSES = ['ok', 'run', 'wait', 'hold', 'bad', 'stop']
const PAIRS: [text: string, ground: string][] = [
  ...['ink', 'ink-2', 'ink-3', 'accent', ...STATUSES].flatMap((text) => GROUNDS.map((ground): [string, string] => [text, ground])),
  ...STATUSES.map((status): [string, string] => [status, `${status}-bg`]),
  ...STATUSES.flatMap((status): [string, string][] => [['ink', `${status}-bg`], ['ink-2', `${status}-bg`]]),
  ['accent', 'accent-bg'],
  ['ink', 'accent-bg'],
  ['ink-2', 'accent-bg'],
  ['on-accent', 'accent'],
  ['on-accent', 'bad'],
]

for (const theme of ['light', 'dark'] as const) {
  test(`every text can be read on its ground, ${theme}`, () => {
    const weak = PAIRS.flatMap(([text, ground]) => {
      const [front, back] = [tokens.get(text), tokens.get(ground)]
      assert.ok(front && back, `${text} on ${ground}: no such token`)
      const found = contrast(front[theme], back[theme])
      return found >= 4.5 ? [] : [`${text} on ${ground}: ${found.toFixed(2)}`]
    })
    assert.deepEqual(weak, [])
  })

  test(`the edges of controls and the ring of focus can be seen, ${theme}`, () => {
    for (const ground of GROUNDS) {
      const [ring, back] = [tokens.get('accent'), tokens.get(ground)]
      assert.ok(ring && back && contrast(ring[theme], back[theme]) >= 3)
    }
  })
}
