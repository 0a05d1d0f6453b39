import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

export default defineConfig({
  plugins: [react()],
  build: {
    // The page may load nothing but its own files, so nothing is inlined and no script is injected.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1200,
    reportCompressedSize: false,
  },
  server: {
    proxy: Object.fromEntries(
      ["/insights.", "/dev/", "/exports/", "/sign-in.json"].map((path) => [path, process.env["INSIGHTS_SERVER"] ?? "http://127.0.0.1:8080"]),
    ),
  },
});
