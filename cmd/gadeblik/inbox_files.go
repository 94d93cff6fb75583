package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"gadeblik/uplink"
)

func newInboxLs(std stdio) *cobra.Command {
	var o inboxOptions
	var filter uplink.Filter
	var since string
	var asJSON bool
	c := &cobra.Command{
		Use:     "ls",
		Short:   "List what is stored, the oldest first",
		Example: "  gadeblik inbox ls --dir /srv/inbox --task bins --since 24h",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			var err error
			if filter.Since, err = sinceTime(since, time.Now()); err != nil {
				return err
			}
			in, err := o.existing()
			if err != nil {
				return err
			}
			defer in.Close() // only read
			entries, err := in.List(filter)
			if err != nil {
				return err
			}
			return printEntries(std, entries, asJSON)
		},
	}
	o.folderFlag(c.Flags())
	c.Flags().StringVar(&filter.Vehicle, "vehicle", "", "only of this vehicle")
	c.Flags().StringVar(&filter.Task, "task", "", "only of this task")
	c.Flags().StringVar(&since, "since", "", "only seen since: a date (2026-05-04), a time (2026-05-04T08:00:00Z) or so long ago (24h)")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON lines")
	return c
}

// sinceTime reads a date, a time or a duration back from now; "" is the zero time.
func sinceTime(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if d, err := time.ParseDuration(text); err == nil && d >= 0 {
		return now.Add(-d), nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, usageError{fmt.Errorf("--since: must be a date (2026-05-04), a time (2026-05-04T08:00:00Z) or a duration (24h) (got %q)", text)}
}

func printEntries(std stdio, entries []uplink.Entry, asJSON bool) error {
	if asJSON {
		enc := json.NewEncoder(std.out)
		for _, e := range entries {
			if err := enc.Encode(e); err != nil {
				return err
			}
		}
		return nil
	}
	w := tabwriter.NewWriter(std.out, 0, 0, 2, ' ', 0)
	for _, e := range entries {
		picture := "-"
		if e.JPEG != "" {
			picture = "picture"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", e.Time.Format(time.DateTime), e.Vehicle, e.Task, e.Kind, picture, e.ID)
	}
	return w.Flush()
}

func newInboxShow(std stdio) *cobra.Command {
	var o inboxOptions
	c := &cobra.Command{
		Use:     "show ID",
		Short:   "Show an observation, and where its files are",
		Example: "  gadeblik inbox show --dir /srv/inbox e11eee2d-4e8b-5793-995d-acf6e6417112",
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			in, err := o.existing()
			if err != nil {
				return err
			}
			defer in.Close() // only read
			entries, err := in.List(uplink.Filter{ID: args[0]})
			if err != nil {
				return err
			}
			if len(entries) == 0 {
				return hinted(fmt.Errorf("%s is not in %s", args[0], o.dir), "`gadeblik inbox ls` lists the ids; what was stored and has expired is deleted")
			}
			for _, e := range entries {
				if err := show(std, in, o.dir, e); err != nil {
					return err
				}
			}
			return nil
		},
	}
	o.folderFlag(c.Flags())
	return c
}

func show(std stdio, in *uplink.Inbox, dir string, e uplink.Entry) error {
	obs, err := in.Read(e)
	if errors.Is(err, fs.ErrNotExist) {
		return hinted(err, "its files are gone; `gadeblik inbox reindex` makes the index fit what is there")
	}
	if err != nil {
		return err
	}
	text, err := json.MarshalIndent(obs, "", "  ")
	if err != nil {
		return err
	}
	var where strings.Builder
	for _, p := range [][2]string{{"observation", e.JSON}, {"signed", e.DSSE}, {"picture", e.JPEG}} {
		if p[1] != "" {
			fmt.Fprintf(&where, "%-12s %s\n", p[0], filepath.Join(dir, p[1]))
		}
	}
	_, err = fmt.Fprintf(std.out, "%s%s\n", where.String(), text)
	return err
}

func newInboxPurge(std stdio) *cobra.Command {
	var o inboxOptions
	c := &cobra.Command{
		Use:   "purge",
		Short: "Delete what has expired, now",
		Long:  `Delete what has expired, now. A running inbox does the same every hour.`,
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			in, err := o.existing()
			if err != nil {
				return err
			}
			n, err := in.Purge(time.Now())
			if err = errors.Join(err, in.Close()); err != nil {
				return err
			}
			_, err = fmt.Fprintf(std.out, "%d observations had expired and are deleted\n", n)
			return err
		},
	}
	o.folderFlag(c.Flags())
	return c
}

func newInboxReindex(std stdio) *cobra.Command {
	var o inboxOptions
	c := &cobra.Command{
		Use:   "reindex",
		Short: "Make the index anew from the files",
		Long: `Make the index anew from the files, after files were restored or moved by hand. A
damaged index is made anew by itself. Meanwhile nothing is stored; it comes again.`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			in, err := o.existing()
			if err != nil {
				return err
			}
			found, err := in.Reindex()
			if err = errors.Join(err, in.Close()); err != nil {
				return err
			}
			_, err = fmt.Fprintf(std.out, "%d observations; %d files without one deleted; %d files are no observations and were left alone\n",
				found.Observations, found.Swept, found.Unreadable)
			return err
		},
	}
	o.folderFlag(c.Flags())
	return c
}

func newInboxImport(std stdio) *cobra.Command {
	var o inboxOptions
	var vehicle string
	c := &cobra.Command{
		Use:   "import DIR|FILE...",
		Short: "Store what was carried by hand from a vehicle's outbox",
		Long: `Store files of a vehicle's outbox (outbox/items/*.item) that were carried by hand,
as if they had come over the broker. The vehicle keeps its own until it hears of
them: when it is back on the network it sends them again, and gets its receipts.`,
		Example: `  gadeblik inbox import --dir /srv/inbox --identity office.age --vehicles /etc/gadeblik/vehicles \
    --fleet town --vehicle sweeper-03 /media/stick/outbox/items`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return o.importAll(std, vehicle, args) },
	}
	o.folderFlag(c.Flags())
	o.keyFlags(c.Flags())
	c.Flags().StringVar(&o.fleet, "fleet", "", "fleet of the vehicle")
	c.Flags().StringVar(&vehicle, "vehicle", "", "vehicle that the files come from")
	return c
}

func (o *inboxOptions) importAll(std stdio, vehicle string, args []string) error {
	if o.dir == "" || o.fleet == "" || vehicle == "" {
		return usageError{errors.New("name the inbox's folder with --dir, and whose files these are with --fleet and --vehicle")}
	}
	opener, err := o.opener()
	if err != nil {
		return err
	}
	files, err := itemFiles(args)
	if err != nil {
		return err
	}
	in, err := uplink.NewInbox(uplink.InboxConfig{Dir: o.dir, Opener: opener})
	if err != nil {
		return err
	}
	var stored int
	var errs []error
	for _, path := range files {
		if err := importItem(in, o.fleet, vehicle, path); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", path, err))
			continue
		}
		stored++
	}
	s := in.Stats()
	_, err = fmt.Fprintf(std.out, "%d of %d are stored (%d were already)\n", stored, len(files), s.Repeated)
	return errors.Join(append(errs, err, in.Close())...)
}

// itemFiles returns the files that are named, and the items of the folders.
func itemFiles(args []string) (files []string, err error) {
	for _, arg := range args {
		st, err := os.Stat(arg)
		if err != nil {
			return nil, fmt.Errorf("import: %w", err)
		}
		if !st.IsDir() {
			files = append(files, arg)
			continue
		}
		for _, pattern := range []string{"*.item", "items/*.item"} {
			found, err := filepath.Glob(filepath.Join(arg, pattern))
			if err != nil {
				return nil, fmt.Errorf("import: %w", err)
			}
			files = append(files, found...)
		}
	}
	if len(files) == 0 {
		return nil, hinted(fmt.Errorf("import: %s holds no items", strings.Join(args, ", ")), "a vehicle keeps them in outbox/items, as files that end in .item")
	}
	return files, nil
}

func importItem(in *uplink.Inbox, fleet, vehicle, path string) error {
	it, observation, evidence, err := uplink.ReadItem(path)
	if err != nil {
		return err
	}
	r, err := in.Take(uplink.Parcel{Fleet: fleet, Vehicle: vehicle, ID: it.ID, Observation: observation, Evidence: evidence})
	if err != nil {
		return err
	}
	if len(r.Refused) > 0 {
		return fmt.Errorf("refused: %s", r.Refused[0].Reason)
	}
	if len(r.Stored) == 0 {
		return errors.New("its picture is missing")
	}
	return nil
}
