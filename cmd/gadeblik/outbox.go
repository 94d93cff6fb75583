package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"gadeblik/cmd/gadeblik/config"
	"gadeblik/uplink"
)

// outboxOptions say which outbox is meant.
type outboxOptions struct {
	config, dir string
	asJSON      bool
}

func newOutbox(std stdio) *cobra.Command {
	var o outboxOptions
	c := &cobra.Command{
		Use:   "outbox",
		Short: "Look at what waits to be sent, check it, carry it by hand",
		Long: `Look at what waits to be sent on this vehicle. What lies there is encrypted: this
shows which items there are, never what is in them. Looking does not disturb an
agent at work; evict and requeue need it to be stopped.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	f := c.PersistentFlags()
	f.StringVarP(&o.config, "config", "c", os.Getenv("GADEBLIK_CONFIG"), "configuration of the vehicle, which names the outbox")
	f.StringVar(&o.dir, "dir", "", "folder of the outbox, instead of --config")
	f.BoolVar(&o.asJSON, "json", false, "print JSON")
	c.AddCommand(o.newList(std), o.newShow(std), o.newVerify(std), o.newExport(std), o.newEvict(std), o.newRequeue(std))
	return c
}

// load returns the configuration, or one that knows the folder only.
func (o *outboxOptions) load() (*config.Config, error) {
	if o.dir != "" {
		c := config.Defaults()
		c.Outbox.Dir = o.dir
		return &c, nil
	}
	if o.config == "" {
		return nil, usageError{errors.New("no outbox: name its folder with --dir, or the vehicle's configuration with --config")}
	}
	return config.Load(config.Options{Path: o.config, Env: os.Environ()})
}

func (o *outboxOptions) inspect() (uplink.Inspection, error) {
	cfg, err := o.load()
	if err != nil {
		return uplink.Inspection{}, err
	}
	return uplink.Inspect(cfg.Outbox.Dir)
}

// itemInfo is what is printed of an item.
type itemInfo struct {
	Seq      uint64    `json:"seq"`
	ID       string    `json:"id"`
	Priority string    `json:"priority"`
	Bytes    int64     `json:"bytes"`
	Evidence bool      `json:"evidence"`
	SealedTo string    `json:"sealed_to"` // office or vehicle
	Written  time.Time `json:"written,omitzero"`
	Expires  time.Time `json:"expires,omitzero"`
	State    string    `json:"state"` // waiting, aside or damaged
	Refusals int       `json:"refusals,omitempty"`
	Reason   string    `json:"reason,omitempty"`
	Path     string    `json:"path"`
}

var priorityWords = []string{"high", "normal", "low"}

func itemInfoOf(it uplink.Inspected) itemInfo {
	i := itemInfo{
		Seq: it.Seq, ID: it.ID, Priority: priorityWords[it.Priority], Bytes: it.Bytes, Evidence: it.Evidence,
		SealedTo: "office", Expires: it.Expires, State: "waiting", Refusals: it.Refusals, Reason: it.Reason, Path: it.Path,
	}
	if info, err := os.Stat(it.Path); err == nil {
		i.Written = info.ModTime().UTC().Truncate(time.Second)
	}
	if it.Own {
		i.SealedTo = "vehicle"
	}
	switch {
	case it.Damaged != nil:
		i = itemInfo{State: "damaged", Reason: it.Damaged.Error(), Path: it.Path, Written: i.Written}
	case it.Aside:
		i.State = "aside"
	}
	return i
}

func (o *outboxOptions) newList(std stdio) *cobra.Command {
	return &cobra.Command{
		Use:     "ls",
		Short:   "List what waits, in the order in which it will be sent",
		Example: "  gadeblik outbox ls --config /etc/gadeblik/gadeblik.yaml",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			found, err := o.inspect()
			if err != nil {
				return err
			}
			if o.asJSON {
				return listJSON(std.out, found)
			}
			return listText(std.out, found)
		},
	}
}

func listJSON(w io.Writer, found uplink.Inspection) error {
	enc := json.NewEncoder(w)
	for _, it := range found.Items {
		if err := enc.Encode(itemInfoOf(it)); err != nil {
			return err
		}
	}
	return nil
}

func listText(w io.Writer, found uplink.Inspection) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	if len(found.Items) > 0 {
		fmt.Fprintln(t, "SEQ\tID\tPRIORITY\tSIZE\tPICTURE\tEXPIRES\tSTATE")
	}
	var bytes int64
	states := map[string]int{}
	for _, it := range found.Items {
		i := itemInfoOf(it)
		states[i.State]++
		bytes += i.Bytes
		expires, picture, state := "never", "no", i.State
		if !i.Expires.IsZero() {
			expires = i.Expires.Format("2006-01-02 15:04")
		}
		if i.Evidence {
			picture = "yes"
		}
		if i.Reason != "" {
			state += ": " + i.Reason
		}
		fmt.Fprintf(t, "%d\t%s\t%s\t%s\t%s\t%s\t%s\n", i.Seq, i.ID, i.Priority, config.Size(i.Bytes), picture, expires, state)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "%d wait, %d set aside, %d damaged; %s\n", states["waiting"], states["aside"], states["damaged"], config.Size(bytes))
	if err == nil && found.Index == "" {
		l := found.Ledger
		_, err = fmt.Fprintf(w, "ever accepted %d: delivered %d, expired %d, evicted %d, lost %d\n", l.Accepted, l.Delivered, l.Expired, l.Evicted, l.Lost)
	} else if err == nil {
		_, err = fmt.Fprintf(w, "the index can't be read (%s); the agent makes it anew from the files\n", found.Index)
	}
	return err
}

func (o *outboxOptions) newShow(std stdio) *cobra.Command {
	return &cobra.Command{
		Use:   "show ID|SEQ",
		Short: "Say all that can be said of one item, and check its file",
		Args:  cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			found, err := o.inspect()
			if err != nil {
				return err
			}
			picked, err := pick(found, args)
			if err != nil {
				return err
			}
			enc := json.NewEncoder(std.out)
			enc.SetIndent("", "  ")
			if err := enc.Encode(itemInfoOf(picked[0])); err != nil {
				return err
			}
			_, _, _, err = uplink.ReadItem(picked[0].Path)
			return err
		},
	}
}

// pick returns the items with these ids or numbers; none named means all.
func pick(found uplink.Inspection, names []string) ([]uplink.Inspected, error) {
	if len(names) == 0 {
		return found.Items, nil
	}
	var out []uplink.Inspected
	for _, name := range names {
		n := len(out)
		for _, it := range found.Items {
			if it.Damaged == nil && (it.ID == name || fmt.Sprint(it.Seq) == name) {
				out = append(out, it)
			}
		}
		if len(out) == n {
			return nil, hinted(fmt.Errorf("the outbox holds no item %s", name), "`gadeblik outbox ls` lists them")
		}
	}
	return out, nil
}

func (o *outboxOptions) newVerify(std stdio) *cobra.Command {
	return &cobra.Command{
		Use:   "verify",
		Short: "Read every item and hold it against its checksums; exit code 1 if one is damaged",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			found, err := o.inspect()
			if err != nil {
				return err
			}
			bar := newProgress(std, len(found.Items), "verifying")
			defer bar.done()
			var errs []error
			for n, it := range found.Items {
				bar.set(n)
				if _, _, _, err := uplink.ReadItem(it.Path); err != nil && !errors.Is(err, os.ErrNotExist) {
					errs = append(errs, err)
				}
			}
			bar.done()
			if len(errs) > 0 {
				return errors.Join(append(errs, fmt.Errorf("%d of %d items are damaged", len(errs), len(found.Items)))...)
			}
			if found.Index != "" {
				return fmt.Errorf("all %d items are whole; the index is not: %s", len(found.Items), found.Index)
			}
			_, err = fmt.Fprintf(std.out, "all %d items are whole, and so is the index\n", len(found.Items))
			return err
		},
	}
}

func (o *outboxOptions) newExport(std stdio) *cobra.Command {
	var unsealed bool
	c := &cobra.Command{
		Use:   "export FOLDER [ID|SEQ...]",
		Short: "Copy items as they would be sent into a folder, to be carried to the case office",
		Long: `Copy items as they would be sent into a folder, such as a memory stick's. They stay
encrypted to the case office, which takes them in with ` + "`gadeblik inbox import`" + `. They
stay in the outbox too, until the case office has answered over the network.`,
		Example: "  gadeblik outbox export /media/stick --config /etc/gadeblik/gadeblik.yaml",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			cfg, err := o.load()
			if err != nil {
				return err
			}
			found, err := uplink.Inspect(cfg.Outbox.Dir)
			if err != nil {
				return err
			}
			items, err := pick(found, args[1:])
			if err != nil {
				return err
			}
			return export(std, cfg, items, args[0], unsealed)
		},
	}
	c.Flags().BoolVar(&unsealed, "unsealed", false, "also what is encrypted to this vehicle only: it leaves readable by anybody who finds it")
	return c
}

func export(std stdio, cfg *config.Config, items []uplink.Inspected, dir string, unsealed bool) error {
	sealer, err := exportSealer(cfg.Seal, items, unsealed)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make the folder to export to: %w", err)
	}
	bar := newProgress(std, len(items), "exporting")
	defer bar.done()
	n := 0
	var errs []error
	for k, it := range items {
		bar.set(k)
		if _, err := sealer.Export(it.Path, dir); err != nil {
			errs = append(errs, err)
			continue
		}
		n++
	}
	bar.done()
	_, err = fmt.Fprintf(std.out, "%d items are in %s; at the case office: gadeblik inbox import %s\n", n, dir, dir)
	return errors.Join(append(errs, err)...)
}

// exportSealer returns what opens and seals again the items that are encrypted to
// the vehicle's own key. Items for the office need none.
func exportSealer(cfg config.Seal, items []uplink.Inspected, unsealed bool) (*uplink.Sealer, error) {
	own := false
	for _, it := range items {
		own = own || it.Own
	}
	switch {
	case !own:
		return nil, nil
	case cfg.KeyFile == "":
		return nil, usageError{errors.New("some items are encrypted to this vehicle's own key; name its configuration with --config")}
	}
	s, err := openSealer(cfg, slog.New(slog.DiscardHandler))
	if err == nil && !s.ForOffice() && !unsealed {
		err = hinted(errors.New("some items are encrypted to this vehicle's own key, and seal.recipients names nobody to encrypt them to"),
			"set seal.recipients, or take them readable with --unsealed")
	}
	return s, err
}

// open opens the outbox for a change.
func (o *outboxOptions) open() (*uplink.Outbox, error) {
	cfg, err := o.load()
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(cfg.Outbox.Dir, "items")); err != nil {
		return nil, fmt.Errorf("%s holds no outbox", cfg.Outbox.Dir)
	}
	b, _, err := uplink.OpenOutbox(cfg.Outbox.Dir, uplink.OutboxConfig{
		MaxItems: cfg.Outbox.MaxItems, MaxBytes: int64(cfg.Outbox.MaxBytes), MaxAge: cfg.Outbox.MaxAge,
	})
	if err != nil && strings.Contains(err.Error(), "another process") {
		err = hinted(err, "stop the agent first: systemctl stop gadeblik")
	}
	return b, err
}

func (o *outboxOptions) newEvict(std stdio) *cobra.Command {
	var yes bool
	c := &cobra.Command{
		Use:   "evict ID...",
		Short: "Delete items that nobody has stored: their evidence is gone for good",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if !yes {
				return usageError{fmt.Errorf("%d items would be gone for good; say --yes if that is meant", len(args))}
			}
			b, err := o.open()
			if err != nil {
				return err
			}
			n, err := b.Evict(args...)
			if err = errors.Join(err, b.Close()); err != nil {
				return err
			}
			if n < len(args) {
				return fmt.Errorf("%d of %d items were there, and were deleted", n, len(args))
			}
			_, err = fmt.Fprintf(std.out, "%d items were deleted\n", n)
			return err
		},
	}
	c.Flags().BoolVar(&yes, "yes", false, "do it")
	return c
}

func (o *outboxOptions) newRequeue(std stdio) *cobra.Command {
	return &cobra.Command{
		Use:   "requeue",
		Short: "Let what was set aside be tried again",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			b, err := o.open()
			if err != nil {
				return err
			}
			n, err := b.Requeue()
			if err = errors.Join(err, b.Close()); err != nil {
				return err
			}
			_, err = fmt.Fprintf(std.out, "%d items wait again\n", n)
			return err
		},
	}
}
