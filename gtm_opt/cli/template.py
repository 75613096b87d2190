"""The commented config that ``gtm-opt init`` writes."""

from __future__ import annotations

__all__ = ["TEMPLATE"]

TEMPLATE = """\
# What `gtm-opt plan` shall do. Lines with a # in front are optional words with an example value.
# File names are relative to this file; ${NAME} stands for an environment variable.

[accounts]
file = "accounts.csv"            # .csv, .xlsx or .parquet
id = "account_id"                # column with the account ids: unique, never empty
# sheet = "Accounts"             # of a workbook; default: the first
# separator = ";"                # of a text file; default: what the header line uses
# encoding = "cp1252"            # default: UTF-8; errors = "replace" drops what cannot be read
# columns = { arr = "Annual Revenue" }        # name used here = name in the file
# parse = ["arr"]            # read "$500,343 ", "($3,864)", "1.2M", "-" as numbers
# decimal = ","                  # "1.234,50"; default: a point
# header_row = 4                 # where the names stand; [1, 2] joins two rows ("FY25 Q1")
# skip_rows = [7, 12]            # rows of the file to leave out; skip_last = 4: so many at the end
# totals = "drop"                # leave lines of totals out; default: refuse them
# fill = { arr = 0 }         # what an empty cell stands for
# replace = { industry = { "Technolgy" = "Technology" } }   # replace values
# where = { country = ["US", "CA"] }              # only these rows
# where_not = { status = "churned" }              # not these rows

# Columns made of a second table with several rows per account.
# [[accounts.join]]
# file = "opportunities.csv"
# key = "account_id"             # its column with the account ids
# date = "close_date"
# date_format = "%d-%m-%Y"       # default: 2027-01-31
# max_loss = 0.05               # of rows and of summed amounts that may find no account; more is an error
# [accounts.join.measures]
# open_pipeline = { how = "sum", column = "amount", where = { stage = ["Open", "Commit"] } }
# won_last_year = { how = "sum", column = "amount", where = { stage = "Won" }, since = "2026-01-01" }
# open_deals = { how = "count", where = { stage = "Open" } }
# owner = { how = "most_value", column = "rep", by = "amount" }     # or most_frequent, or latest

# One territory per rep:
[reps]
file = "reps.csv"
id = "rep_id"
# capacity = "capacity"          # column: how large a territory the rep gets; default: all the same
# status = "status"              # column: filled, TBH (to be hired), TBR (to be replaced)
# levels = ["region", "manager"] # columns from the top down: carve regions first, then teams, then reps

# ... or territories without reps; exactly one of:
# [territories]
# count = 20
# names = ["East", "West"]
# shares = { East = 8, West = 9 }
# per = "manager"                # a column of the reps: one territory per manager, as large as the team
# tree = [4, 5]                  # 4 regions of 5 territories each
# levels = ["region", "territory"]

# What to balance. Priority 1 first; what cannot be kept is relaxed from the last priority up.
[[balance]]
column = "arr"
tolerance = 0.05                 # within 5 % of each territory's share
priority = 1

[[balance]]
kind = "count"                   # the number of accounts
tolerance = 0.10
priority = 2

# [[balance]]
# kind = "mix"                   # every industry spread evenly
# column = "industry"
# tolerance = 0.25
# [[balance]]
# kind = "limit"                 # absolute limits
# column = "workload_h"
# at_most = 1600

# What to prefer within these bands.
[[prefer]]
kind = "keep_owner"
owner = "owner"                  # column with the id of the rep who owns the account today
value = "arr"                # what moving costs; default: every account the same
# unknown = "unowned"            # owners who are no reps any more: their accounts are free

# [[prefer]]
# kind = "near"                  # short distances
# lat = "lat"
# lon = "lon"
# [[prefer]]
# kind = "relationship"          # reps who sold to an account before
# file = "opportunities.csv"
# key = "account_id"
# rep = "rep"
# deal_value = "amount"
# [[prefer]]
# kind = "fit"                   # scores 0 to 1: first column the value of `by`, one column per territory
# file = "skills.csv"
# by = "industry"

# What every plan must keep.
# [[rules]]
# kind = "keep_together"
# column = "parent_id"           # families; missing = "alone": parents may be absent from the table
# [[rules]]
# kind = "pin"
# file = "named_accounts.csv"    # columns account_id, territory; or accounts = { "A-1" = "R-07" }
# [[rules]]
# kind = "forbid"
# pairs = [["A-2", "R-03"]]
# [[rules]]
# kind = "keep_apart"
# groups = [["A-3", "A-4"]]      # competitors
# [[rules]]
# kind = "within"                # accounts of a value go only to these territories
# by = "country"
# teams = { Canada = ["R-01", "R-02"] }
# [[rules]]
# kind = "max_moved"
# share = 0.20                   # at most 20 % may leave their owner
# by = "arr"

[carve]
# solver = "auto"                # `gtm-opt solvers` lists them
# time_limit = 30                # seconds
seed = 0
# effort = 1.0
# objective = "even"             # as even as possible; default where nothing is preferred
# max_buckets = 10               # carve at most this many at a time
# segments = { column = "segment", teams = { enterprise = ["R-01"], smb = ["R-02", "R-03"] } }  # a team for each
on_infeasible = "raise"          # "nearest": make the nearest possible plan and say what had to give

# The year, the roles and the number. Leave them out for a carve alone.
# [calendar]
# fy_start = "2027-01"
# season = [0.20, 0.24, 0.26, 0.30]               # share of the year in each quarter
# [[roles]]
# name = "AE"                    # the reps' column `role` says who has which, when there are several
# productivity_py = 900000   # what a ramped rep books in a year
# ramp = [0, 0.25, 0.5, 0.75]    # by month of tenure, 1 afterwards (the reps' column start_date)
# ramp_quota = { kind = "linear", months = 6 }   # what they are asked for; or steps, weibull, logistic
# cost_pm = 9000                 # also hire_cost, quota_type = "overlay", owns_accounts
# [people]                       # how people's time is counted
# proration = "days"             # what a partial month counts: days, selling_days, 15th, next_month
# leaves = { file = "leaves.csv" }                # rep_id, start_date, end_date; relieve_quota = true lowers quotas too
# interim_frac = 0.25            # of a ramped rep's productivity, for seats that are covered or empty
# seasonality = "flat"           # or "calendar", "selling_days"
# adjustments = { R-07 = -20000 }                 # signed, to the quota of a seller; or { file = "adjustments.csv" }
# [attrition]                    # who is expected to leave: the expected capacity beside the certain one
# annual = { SMB = 0.30, default = 0.20 }         # by role or segment, or one number
# kind = "cohort"                # share of January's people gone in December; or "turnover": separations / heads
# new_hire = 0.28                # share of hires that do not make their first year
# [[backfill]]                   # how seats are filled again; several with role = "..."
# time_to_fill_m = 2.0
# notice_m = 1.0
# [odds]                         # how likely the target is made
# cv = 0.5                       # spread of a seller's year
# correlation = 0.1              # what two sellers share
# [quota]
# target = 20000000
# over_assign = { manager = 0.05, seat = 0.05 } # by level, into which the edge leads; or one number
# weights = "share"              # default: "capacity" where there are roles and a calendar, else "share"; or
#                                # "equal", an account column, or { arr = 0.5, capacity = 0.5 }
# unit = 1000

[output]
dir = "plan"
# format = "parquet"             # default: csv
# excel = true                   # also one workbook
# raw_cells = true               # CSV for programs: no apostrophe before text that a spreadsheet would compute
"""
