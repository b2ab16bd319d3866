import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import { defineConfig, type Plugin } from 'vite'
import { fake } from './test/fake/plugin.ts'

const OUT = '../static'

/** Compression once, at build, is what lets the gateway answer from disk and still send the smallest form. */
function compressed(): Plugin {
  return {
    name: 'compressed',
    apply: 'build',
    closeBundle() {
      const assets = join(import.meta.dirname, OUT, 'assets')
      for (const name of readdirSync(assets)) {
        if (!/\.(js|css|svg|json)$/.test(name)) continue
        const path = join(assets, name)
        const bytes = readFileSync(path)
        writeFileSync(`${path}.gz`, gzipSync(bytes, { level: 9 }))
        writeFileSync(`${path}.br`, brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }))
      }
    },
  }
}

/** What the first screen needs and pages share is one file: left to itself the bundler cuts it up by who shares what, a request for each piece. */
const CORE = new RegExp(
  [
    'node_modules/@?preact',
    'preload-helper',
    'src/(router|time|icons)/',
    'src/api/(client|error|address)\\.ts',
    'src/live/(link|rows)\\.ts',
    'src/session\\.ts',
    'src/board/(board|filter)\\.ts',
    'src/parts/(base|Button|say)\\.tsx',
  ].join('|'),
)

export default defineConfig({
  plugins: [compressed(), ...(process.env['UI_API'] ? [] : [fake()])],
  // Inlined assets would be data: addresses, which the page's policy refuses for scripts, styles and fonts.
  build: { target: 'es2023', cssTarget: ['chrome125', 'firefox128', 'safari18'], outDir: OUT, emptyOutDir: true, assetsInlineLimit: 0, manifest: true, modulePreload: { polyfill: false }, rolldownOptions: { output: { codeSplitting: { groups: [{ name: 'core', test: CORE }] } } } },
  worker: { format: 'es' },
  server: { // The origin stays what the browser says: the gateway takes changes from its own address only.
    proxy: process.env['UI_API'] ? { '/api': { target: process.env['UI_API'], changeOrigin: false } } : {},
  },
})
