import { Button, Paper, PasswordInput, Stack, Text, TextInput, Title } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { api, type Session } from '../api';
import { Trouble } from '../parts/Trouble';

/** Signing in, or making the first account with the one-use link. */
export function SignInPage({ session }: { session: Session }) {
  const token = window.location.pathname === '/setup' ? window.location.hash.slice(1) : '';
  const making = token !== '';
  const [user, setUser] = useState('');
  const [password, setPassword] = useState('');
  const queries = useQueryClient();
  const enter = useMutation({
    mutationFn: () => (making ? api.setUp(token, user, password) : api.logIn(user, password)),
    onSuccess: () => {
      if (making) window.history.replaceState(null, '', '/'); // the used token leaves the address
      return queries.invalidateQueries();
    },
  });
  const submit = (e: FormEvent) => {
    e.preventDefault();
    enter.mutate();
  };
  const lost = session.setup_needed && !making;
  return (
    <main style={{ maxWidth: 400, margin: '12vh auto', padding: 16 }}>
      <Paper withBorder p="lg">
        <Title order={1}>{making ? 'Make an account' : 'Sign in to Bartizan'}</Title>
        {lost ? (
          <Text size="sm" mt="md">
            Nobody has an account yet. Open the setup link that <code>bartizan serve</code> printed at its start, or run <code>bartizan user reset</code> for a
            new one.
          </Text>
        ) : (
          <form onSubmit={submit}>
            <Stack mt="md" gap="sm">
              <TextInput label="Account" value={user} onChange={(e) => setUser(e.currentTarget.value)} autoComplete="username" required autoFocus />
              <PasswordInput
                label="Password"
                description={making ? 'At least 12 characters.' : undefined}
                value={password}
                onChange={(e) => setPassword(e.currentTarget.value)}
                autoComplete={making ? 'new-password' : 'current-password'}
                minLength={making ? 12 : undefined}
                required
              />
              {enter.isError && <Trouble doing={making ? 'Making the account' : 'Signing in'} error={enter.error} />}
              <Button type="submit" loading={enter.isPending}>
                {making ? 'Make the account' : 'Sign in'}
              </Button>
            </Stack>
          </form>
        )}
      </Paper>
    </main>
  );
}
