"""Timestamps and durations."""

from __future__ import annotations

from tests.conformance.cel.case import ERROR, d, t, table

CASES = (
    *table(
        {
            "v.getFullYear()": 2009,
            "v.getMonth()": 1,
            "v.getDate()": 13,
            "v.getDayOfMonth()": 12,
            "v.getDayOfWeek()": 5,
            "v.getDayOfYear()": 43,
            "v.getHours()": 23,
            "v.getMinutes()": 31,
            "v.getSeconds()": 30,
            "v.getMilliseconds()": 123,
            "v.getHours('UTC')": 23,
            "v.getHours('+01:30')": 1,
            "v.getMinutes('+01:30')": 1,
            "v.getHours('02:00')": 1,
            "v.getDate('+02:00')": 14,
            "v.getHours('-08:00')": 15,
            "v.getHours('America/Los_Angeles')": 15,
            "v.getDate('Australia/Sydney')": 14,
            "v.getDayOfWeek('Australia/Sydney')": 6,
            "v.getMinutes('Asia/Kathmandu')": 16,
            "v.getHours('Nowhere')": ERROR,
            "v.getHours(dyn(1))": ERROR,
            "int(v)": 1234567890,
            "v + duration('1h')": t("2009-02-14T00:31:30.123+00:00"),
            "duration('1h') + v": t("2009-02-14T00:31:30.123+00:00"),
            "v - duration('30s')": t("2009-02-13T23:31:00.123+00:00"),
            "v - timestamp('2009-02-13T23:31:00Z')": d(30, 123_000),
            "v + v": ERROR,
            "duration('1s') - v": ERROR,
            "v == timestamp('2009-02-13T23:31:30.123Z')": True,
            "v == timestamp('2009-02-14T00:31:30.123+01:00')": True,
            "v < timestamp('2010-01-01T00:00:00Z')": True,
            "v + duration('300000000000s')": ERROR,
            "v - duration('80000000000s')": ERROR,
            "v + 1": ERROR,
        },
        v=t("2009-02-13T23:31:30.123+00:00"),
    ),
    *table(
        {
            "w.getHours()": 1,
            "w.getMinutes()": 62,
            "w.getSeconds()": 3723,
            "w.getMilliseconds()": 321,
            "w + duration('1s')": d(3724, 321_000),
            "w - duration('1h')": d(123, 321_000),
            "w + w": d(7446, 642_000),
            "-w": ERROR,
            "w * 2": ERROR,
            "w < duration('2h')": True,
            "w.getFullYear()": ERROR,
            "w == duration('3723.321s')": True,
            "w == duration('1h2m3.321s')": True,
        },
        w=d(3723, 321_000),
    ),
    *table(
        {
            "timestamp('9999-12-31T23:59:59Z') + duration('1s')": ERROR,
            "timestamp('0001-01-01T00:00:00Z') - duration('1s')": ERROR,
            "timestamp('0001-01-01T00:00:00Z').getFullYear()": 1,
            "timestamp('9999-12-31T23:59:59Z').getFullYear()": 9999,
            "timestamp('2024-02-29T12:00:00Z').getDayOfYear()": 59,
            "timestamp('1969-12-31T23:59:59Z') < timestamp(0)": True,
            "duration('-1.5s').getMilliseconds()": -500,
            "duration('315576000000s') + duration('1s')": ERROR,
        }
    ),
)
